package io.catchment.wal.lane;

import io.catchment.wal.WalStats.LaneStats;
import java.util.concurrent.atomic.LongAdder;

/** What a lane has done since start. Thread-safe: written by the lane's loop, read by anyone. */
final class LaneCounters {
    private final LongAdder appendedBytes = new LongAdder();
    private final LongAdder appendedFrames = new LongAdder();
    private final LongAdder syncs = new LongAdder();
    private final LongAdder syncNanos = new LongAdder();
    private volatile String fault = "";

    void synced(long nanos) {
        syncs.increment();
        syncNanos.add(nanos);
    }

    void acknowledged(int frames, long bytes) {
        appendedFrames.add(frames);
        appendedBytes.add(bytes);
    }

    void fault(String reason) {
        fault = reason;
    }

    LaneStats stats(boolean accepting, long queuedBytes) {
        return new LaneStats(
                accepting, fault, appendedBytes.sum(), appendedFrames.sum(), syncs.sum(), syncNanos.sum(), queuedBytes);
    }
}
