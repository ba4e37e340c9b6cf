package io.catchment.objectstore.retry;

/**
 * When to give up and when to try again.
 *
 * @param attemptTimeoutMs of one attempt, plus the time its bytes take at {@code bytesPerSecondMin}
 * @param attemptsMax first try included; what fails after that is the caller's to retry
 * @param backoffMs waited before the second attempt at most (full jitter), doubled for each further one
 * @param backoffMaxMs upper bound of that
 * @param failuresToOpen consecutive failed attempts that open the circuit
 * @param openMs how long the circuit stays open at first (doubled while its probes fail, jittered)
 * @param openMaxMs upper bound of that
 */
public record RetryPolicy(
        long attemptTimeoutMs,
        long bytesPerSecondMin,
        int attemptsMax,
        long backoffMs,
        long backoffMaxMs,
        int failuresToOpen,
        long openMs,
        long openMaxMs) {

    public static final RetryPolicy DEFAULT = new RetryPolicy(15_000, 1 << 20, 4, 100, 3_000, 10, 1_000, 15_000);

    public RetryPolicy {
        if (attemptTimeoutMs < 1
                || bytesPerSecondMin < 1
                || attemptsMax < 1
                || backoffMs < 1
                || backoffMaxMs < backoffMs
                || failuresToOpen < 1
                || openMs < 1
                || openMaxMs < openMs) {
            throw new IllegalArgumentException("retry policy out of range");
        }
    }

    long timeoutMs(long bytes) {
        return attemptTimeoutMs + bytes * 1000 / bytesPerSecondMin;
    }

    /** Upper bound of the wait after this many failed attempts. */
    long backoffMs(int failed) {
        return Math.min(backoffMaxMs, backoffMs << Math.min(20, failed - 1));
    }
}
