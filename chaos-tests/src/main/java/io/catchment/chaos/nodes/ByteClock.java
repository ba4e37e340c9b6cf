package io.catchment.chaos.nodes;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;

/** How many bytes passed in each tenth of a second since its beginning. Thread-safe. */
final class ByteClock {
    private static final int TICKS_PER_SECOND = 10;

    private final AtomicLongArray ticks;
    private final long startNanos = System.nanoTime();

    ByteClock(int seconds) {
        ticks = new AtomicLongArray(seconds * TICKS_PER_SECOND);
    }

    void passed(long bytes) {
        int tick = (int) ((System.nanoTime() - startNanos) * TICKS_PER_SECOND / 1_000_000_000L);
        if (tick < ticks.length()) {
            ticks.addAndGet(tick, bytes);
        }
    }

    void awaitEnd() throws InterruptedException {
        long endNanos = startNanos + ticks.length() * (1_000_000_000L / TICKS_PER_SECOND);
        TimeUnit.NANOSECONDS.sleep(endNanos - System.nanoTime());
    }

    /** Bytes a second from one second up to another. */
    double perSecond(int from, int to) {
        return (double) bytes(from * TICKS_PER_SECOND, to * TICKS_PER_SECOND) / (to - from);
    }

    /**
     * Bytes a second over spans of this many seconds, all that lie between one second and another: their mean. What comes in bursts once a
     * period counts the same wherever the burst falls, if the spans begin at every moment of one period.
     */
    double meanPerSecond(int from, int to, int spanSeconds) {
        int span = spanSeconds * TICKS_PER_SECOND;
        int first = from * TICKS_PER_SECOND;
        int last = to * TICKS_PER_SECOND - span;
        double sum = 0;
        for (int start = first; start <= last; start++) {
            sum += bytes(start, start + span);
        }
        return sum / (last - first + 1) / spanSeconds;
    }

    private long bytes(int from, int to) {
        long sum = 0;
        for (int tick = from; tick < to; tick++) {
            sum += ticks.get(tick);
        }
        return sum;
    }
}
