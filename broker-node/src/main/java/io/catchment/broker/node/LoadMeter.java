package io.catchment.broker.node;

import io.catchment.controlplane.NodeLoad;
import io.catchment.wal.Lane;
import io.catchment.wal.WalStats;
import io.catchment.wal.WalStats.LaneStats;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * This node's figures for its heartbeats: sampled now and then where that may take a moment, told at once. Sampling is for one
 * thread, telling for any.
 */
final class LoadMeter {
    private record Sample(long nanos, Map<Lane, LaneStats> lanes) {}

    private record Figures(
            List<Double> bytesPerSecond,
            List<Double> framesPerSecond,
            long diskFreeBytes,
            long diskTotalBytes,
            int pressure) {}

    private final Supplier<WalStats> wal;
    private final LongSupplier diskTotalBytes;
    private final long reserveBytes;
    private final LongSupplier nanoTime;
    private final Supplier<Map<Integer, Long>> unreachableMs;
    private final Supplier<Set<Long>> workedOn;
    private final IntSupplier served;
    private Sample last;
    private volatile Figures figures = new Figures(List.of(), List.of(), Long.MAX_VALUE, Long.MAX_VALUE, 0);
    private volatile boolean draining;

    /** @param reserveBytes with less than this free the node asks for no further copies; 0: never */
    LoadMeter(
            Supplier<WalStats> wal,
            LongSupplier diskTotalBytes,
            long reserveBytes,
            LongSupplier nanoTime,
            Supplier<Map<Integer, Long>> unreachableMs,
            Supplier<Set<Long>> workedOn,
            IntSupplier served) {
        this.wal = wal;
        this.diskTotalBytes = diskTotalBytes;
        this.reserveBytes = reserveBytes;
        this.nanoTime = nanoTime;
        this.unreachableMs = unreachableMs;
        this.workedOn = workedOn;
        this.served = served;
        this.last = new Sample(nanoTime.getAsLong(), Map.of());
    }

    /** Asks to be rid of all streams, from the next heartbeat on. */
    void drain() {
        draining = true;
    }

    void sample() {
        WalStats stats = wal.get();
        long now = nanoTime.getAsLong();
        double seconds = Math.max(1e-3, (now - last.nanos()) / 1e9);
        List<Double> bytes = new ArrayList<>();
        List<Double> frames = new ArrayList<>();
        for (Lane lane : Lane.values()) {
            LaneStats present = stats.lanes().get(lane);
            LaneStats before = last.lanes().get(lane);
            if (present == null || before == null) {
                bytes.add(0.0);
                frames.add(0.0);
            } else {
                bytes.add((present.appendedBytes() - before.appendedBytes()) / seconds);
                frames.add((present.appendedFrames() - before.appendedFrames()) / seconds);
            }
        }
        last = new Sample(now, Map.copyOf(stats.lanes()));
        long total = diskTotalBytes.getAsLong();
        long free = Math.min(stats.diskUsableBytes(), total);
        figures = new Figures(bytes, frames, free, total, free < reserveBytes ? NodeLoad.ORANGE : 0);
    }

    NodeLoad load() {
        Figures now = figures;
        return new NodeLoad(
                now.bytesPerSecond(),
                now.framesPerSecond(),
                now.diskFreeBytes(),
                now.diskTotalBytes(),
                now.pressure(),
                draining,
                unreachableMs.get(),
                workedOn.get(),
                served.getAsInt());
    }
}
