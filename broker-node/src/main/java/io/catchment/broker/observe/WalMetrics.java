package io.catchment.broker.observe;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Lane;
import io.catchment.wal.WalListener;
import io.catchment.wal.WalStats;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** Latency and size of group commits by lane, and the WAL's own figures. Thread-safe. Part of what listens to the WAL. */
public final class WalMetrics implements WalListener {
    private static final Duration[] BUCKETS = {
        Duration.ofNanos(100_000),
        Duration.ofNanos(200_000),
        Duration.ofNanos(500_000),
        Duration.ofMillis(1),
        Duration.ofMillis(2),
        Duration.ofMillis(5),
        Duration.ofMillis(10),
        Duration.ofMillis(20),
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(500),
        Duration.ofSeconds(2)
    };

    private final MeterRegistry registry;
    private final Map<Lane, LaneMeters> lanes = new EnumMap<>(Lane.class);

    private record LaneMeters(Timer write, Timer sync, DistributionSummary groupBytes) {}

    WalMetrics(MeterRegistry registry) {
        this.registry = registry;
        for (Lane lane : Lane.values()) {
            lanes.put(
                    lane,
                    new LaneMeters(
                            timer("catchment.wal.append", "Write and sync of one group of frames, by lane", lane),
                            timer("catchment.wal.sync", "Sync of one group of frames, by lane", lane),
                            DistributionSummary.builder("catchment.wal.group")
                                    .description("Size of one group commit, by lane")
                                    .baseUnit("bytes")
                                    .tag("lane", name(lane))
                                    .register(registry)));
        }
    }

    private Timer timer(String name, String what, Lane lane) {
        return Timer.builder(name)
                .description(what)
                .tag("lane", name(lane))
                .serviceLevelObjectives(BUCKETS)
                .register(registry);
    }

    @Override
    public void groupSynced(Lane lane, int frames, long bytes, long writeNanos, long syncNanos) {
        LaneMeters meters = Objects.requireNonNull(lanes.get(lane));
        meters.write.record(writeNanos + syncNanos, TimeUnit.NANOSECONDS);
        meters.sync.record(syncNanos, TimeUnit.NANOSECONDS);
        meters.groupBytes.record((double) bytes);
    }

    @Override
    public void acknowledged(Lane lane, List<Acknowledged> group) {}

    @Override
    public void rollDue(Lane lane, long extentId) {}

    @Override
    public void sealed(Lane lane, long extentId, long length) {}

    @Override
    public void laneState(Lane lane, boolean accepting, String reason) {}

    void observe(Supplier<WalStats> stats) {
        Snapshots<WalStats> snapshots = new Snapshots<>(registry, stats)
                .gauge("catchment.wal.extents", "Local extents by state", null, WalStats::openExtents, "state", "open")
                .gauge(
                        "catchment.wal.extents",
                        "Local extents by state",
                        null,
                        WalStats::sealedExtents,
                        "state",
                        "sealed")
                .gauge(
                        "catchment.wal.extents",
                        "Local extents by state",
                        null,
                        WalStats::recycledFiles,
                        "state",
                        "recycled")
                .gauge("catchment.wal.held", "Local extents that are not deleted", "bytes", WalStats::bytesHeld)
                .gauge(
                        "catchment.wal.disk.usable",
                        "What the WAL's disk still has, recycled files included",
                        "bytes",
                        WalStats::diskUsableBytes)
                .gauge("catchment.wal.index", "Memory of frame indexes", "bytes", WalStats::indexBytes)
                .gauge(
                        "catchment.wal.full.in",
                        "Until the disk is full at the present rate; +Inf while it is not filling",
                        "seconds",
                        WalStats::secondsUntilFull);
        for (Lane lane : Lane.values()) {
            String[] tag = {"lane", name(lane)};
            snapshots
                    .counter(
                            "catchment.wal.appended",
                            "Appended, framing included, by lane",
                            "bytes",
                            ofLane(lane, WalStats.LaneStats::appendedBytes),
                            tag)
                    .counter(
                            "catchment.wal.frames",
                            "Frames appended, by lane",
                            null,
                            ofLane(lane, WalStats.LaneStats::appendedFrames),
                            tag)
                    .gauge(
                            "catchment.wal.queued",
                            "Accepted and not yet acknowledged, by lane",
                            "bytes",
                            ofLane(lane, WalStats.LaneStats::queuedBytes),
                            tag)
                    .gauge(
                            "catchment.wal.accepting",
                            "1 while the lane accepts frames",
                            null,
                            ofLane(lane, figures -> figures.accepting() ? 1 : 0),
                            tag);
        }
    }

    private static ToDoubleFunction<WalStats> ofLane(Lane lane, ToDoubleFunction<WalStats.LaneStats> value) {
        return stats -> {
            WalStats.LaneStats figures = stats.lanes().get(lane);
            return figures == null ? 0 : value.applyAsDouble(figures);
        };
    }

    private static String name(Lane lane) {
        return lane.name().toLowerCase(Locale.ROOT);
    }
}
