package io.catchment.broker.flush;

import java.util.random.RandomGenerator;
import org.slf4j.Logger;

/** Owned by its loop. Waits that double while something keeps failing, between half and all of the nominal wait. */
final class Backoff {
    private final long firstMs;
    private final long maxMs;
    private final RandomGenerator random;
    private int failures;

    Backoff(long firstMs, long maxMs, RandomGenerator random) {
        this.firstMs = firstMs;
        this.maxMs = maxMs;
        this.random = random;
    }

    /** How long to wait after one more failure. */
    long failedMs() {
        long nominal = Math.min(maxMs, firstMs << Math.min(failures, 20));
        failures++;
        return nominal / 2 + random.nextLong(nominal / 2 + 1);
    }

    void succeeded() {
        failures = 0;
    }

    boolean failing() {
        return failures > 0;
    }

    /** One line for the first failure and for each twentieth after it. */
    void logged(Logger log, long extentId, FlushFailure failure) {
        if (failures == 1 || failures % 20 == 0) {
            log.warn(
                    "Flush of extent {} failed at {}, attempt {}; what is acknowledged stays safe in the WAL. Trying on: {}",
                    extentId,
                    failure.stage(),
                    failures,
                    failure.getMessage());
        }
    }

    int failures() {
        return failures;
    }
}
