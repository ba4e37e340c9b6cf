package io.catchment.chaos.store;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.Locale;

/**
 * What was seen of one fault, and whether that is what must be.
 *
 * @param requests of the kinds that fail that arrived at the proxy meanwhile, {@code worstSecond} the most of them within one second
 * @param told how often the metrics named it
 * @param unflushedS age of the oldest unflushed data at its end
 * @param resumedS from its end until the flush had caught up
 * @param p99Ms of produce meanwhile, {@code calmP99Ms} before the first fault
 * @param residentBytes the most that a node took meanwhile, {@code calmBytes} before the first fault
 */
record FaultSeen(
        FaultStep step,
        Duration time,
        int nodes,
        int requests,
        int worstSecond,
        double told,
        boolean circuitOpened,
        double unflushedS,
        double resumedS,
        double p99Ms,
        double calmP99Ms,
        long residentBytes,
        long calmBytes) {
    /** Memory that a failing store may cost. */
    private static final long GROWTH_BYTES = 400L << 20;

    /** Of requests during a fault that fails all uploads, per node: no retry storm. */
    private static final int WORST_SECOND = 40;

    private static final double MEAN_PER_SECOND = 4;

    static String header() {
        return String.format(
                Locale.ROOT,
                "  %-20s %4s %9s %12s %-20s %7s %9s %7s %6s%n",
                "fault",
                "s",
                "requests",
                "worst second",
                "told as, how often",
                "circuit",
                "resumed s",
                "p99 ms",
                "RSS MB");
    }

    String line() {
        return String.format(
                Locale.ROOT,
                "  %-20s %4d %9d %12d %-20s %7s %9.1f %7.1f %6d%n",
                name(step),
                time.toSeconds(),
                requests,
                worstSecond,
                step.shows() == FaultStep.Show.NOTHING ? "-" : name(step.shows()) + " " + Math.round(told),
                circuitOpened ? "opened" : "-",
                resumedS,
                p99Ms,
                residentBytes >> 20);
    }

    void check(Verdict verdict) {
        if (step.shows() != FaultStep.Show.NOTHING && told < 1) {
            verdict.violation(Violation.Kind.FAILED, step + " is not in the metrics as " + step.shows());
        }
        if (step.opensCircuit() && !circuitOpened) {
            verdict.violation(Violation.Kind.FAILED, step + " did not open the circuit");
        }
        // Generous, for machines that do other things as well: a store that reaches the producers costs its timeouts
        if (p99Ms > Math.max(5 * calmP99Ms, 2000)) {
            verdict.violation(
                    Violation.Kind.LATE,
                    "%s: p99 of produce %.1f ms, before %.1f ms".formatted(step, p99Ms, calmP99Ms));
        }
        if (residentBytes > calmBytes + GROWTH_BYTES) {
            verdict.violation(
                    Violation.Kind.FAILED,
                    "%s: a node took %d MB, before %d MB".formatted(step, residentBytes >> 20, calmBytes >> 20));
        }
        if (step.stopsFlush()) {
            stopped(verdict);
        }
    }

    private void stopped(Verdict verdict) {
        if (unflushedS < time.toMillis() / 2000.0) {
            throw new IllegalStateException(
                    "%s did not stop the flush, so this shows nothing: the oldest is unflushed for %.1f s"
                            .formatted(step, unflushedS));
        }
        if (worstSecond > nodes * WORST_SECOND
                || requests > nodes * (WORST_SECOND + MEAN_PER_SECOND * time.toSeconds())) {
            verdict.violation(
                    Violation.Kind.FAILED,
                    "%s: a retry storm: %d requests in %d s, %d in one second"
                            .formatted(step, requests, time.toSeconds(), worstSecond));
        }
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
