package io.catchment.chaos.cluster;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waiting for a condition, with a deadline. */
public final class Await {
    private Await() {}

    /** @throws IllegalStateException when the condition does not hold in time */
    public static void until(String what, Duration limit, BooleanSupplier condition) {
        until(what, limit, Duration.ofMillis(10), condition);
    }

    /** The same, looking only so often. */
    public static void until(String what, Duration limit, Duration pause, BooleanSupplier condition) {
        if (!within(limit, pause, condition)) {
            throw new IllegalStateException("not within " + limit.toMillis() + " ms: " + what);
        }
    }

    /** Whether the condition held in time. */
    public static boolean within(Duration limit, BooleanSupplier condition) {
        return within(limit, Duration.ofMillis(10), condition);
    }

    /** The same, looking only so often: for conditions that cost the server something. */
    public static boolean within(Duration limit, Duration pause, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() >= deadline) {
                return false;
            }
            LockSupport.parkNanos(pause.toNanos());
        }
        return true;
    }
}
