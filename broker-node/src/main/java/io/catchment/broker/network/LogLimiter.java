package io.catchment.broker.network;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Lets a few lines of one kind into the log per interval and counts the rest, so that a port scan cannot fill a disk.
 * Thread-safe by atomics; a line more or less at the edge of an interval does no harm.
 */
final class LogLimiter {
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int LINES_PER_INTERVAL = 5;

    private final AtomicLong intervalStart = new AtomicLong(System.nanoTime() - INTERVAL_NANOS);
    private final AtomicLong seen = new AtomicLong();
    private final AtomicLong suppressed = new AtomicLong();

    /** True if a line may be written now. */
    boolean permits() {
        long now = System.nanoTime();
        long start = intervalStart.get();
        if (now - start >= INTERVAL_NANOS && intervalStart.compareAndSet(start, now)) {
            seen.set(0);
        }
        if (seen.incrementAndGet() <= LINES_PER_INTERVAL) {
            return true;
        }
        suppressed.incrementAndGet();
        return false;
    }

    /** To append to a permitted line: how many were left out before it, as text, empty if none. */
    String suppressedNote() {
        long count = suppressed.getAndSet(0);
        return count == 0 ? "" : " (" + count + " similar lines left out)";
    }
}
