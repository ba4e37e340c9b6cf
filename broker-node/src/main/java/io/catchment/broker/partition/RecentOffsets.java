package io.catchment.broker.partition;

import java.util.concurrent.TimeUnit;

/**
 * From which offset on a partition's records are recent: acknowledged within the last half to one minute. Who reads older ones catches up.
 * Written by the partition's event loop, read from any thread.
 */
public final class RecentOffsets {
    private static final long STEP_NANOS = TimeUnit.SECONDS.toNanos(30);
    /** Nobody knows when the records were written that were there before: readers at the tail are to lose nothing by a change of owner. */
    private static final long TAKEN_OVER = 10_000;

    private volatile long from;
    private long endAtStep;
    private long stepNanos;

    public RecentOffsets(long endOffset, long nowNanos) {
        this.from = endOffset - TAKEN_OVER;
        this.endAtStep = endOffset;
        this.stepNanos = nowNanos;
    }

    /** @param before the acknowledged end until a moment ago */
    public void advanced(long before, long nowNanos) {
        if (nowNanos - stepNanos < STEP_NANOS) {
            return;
        }
        // After a pause all that was there before it is old.
        from = nowNanos - stepNanos < 2 * STEP_NANOS ? endAtStep : before;
        endAtStep = before;
        stepNanos = nowNanos;
    }

    public boolean has(long offset) {
        return offset >= from;
    }
}
