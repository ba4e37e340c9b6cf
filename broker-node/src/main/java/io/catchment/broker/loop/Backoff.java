package io.catchment.broker.loop;

import java.util.random.RandomGenerator;

/** Owned by its loop. Waits that double while something keeps failing, between half and all of the nominal wait. */
public final class Backoff {
    private final long firstMs;
    private final long maxMs;
    private final RandomGenerator random;
    private int failures;

    public Backoff(long firstMs, long maxMs, RandomGenerator random) {
        this.firstMs = firstMs;
        this.maxMs = maxMs;
        this.random = random;
    }

    /** How long to wait after one more failure. */
    public long failedMs() {
        long nominal = Math.min(maxMs, firstMs << Math.min(failures, 20));
        failures++;
        return nominal / 2 + random.nextLong(nominal / 2 + 1);
    }

    public void succeeded() {
        failures = 0;
    }

    public boolean failing() {
        return failures > 0;
    }

    /** Whether this failure is one to write of: the first, and each twentieth after it. */
    public boolean isWorthALine() {
        return failures == 1 || failures % 20 == 0;
    }

    public int failures() {
        return failures;
    }
}
