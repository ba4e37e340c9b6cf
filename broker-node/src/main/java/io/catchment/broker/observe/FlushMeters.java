package io.catchment.broker.observe;

import io.catchment.broker.flush.FlushMetrics;
import io.catchment.broker.flush.FlushStats;
import io.catchment.wal.Lane;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** What the flush has published, what failed, and how far behind it is. Thread-safe. */
public final class FlushMeters implements FlushMetrics {
    private final MeterRegistry registry;

    /** Meters of all lanes and stages exist from the start: a figure that is missing cannot be told from one that is 0. */
    public FlushMeters(MeterRegistry registry) {
        this.registry = registry;
        for (Lane lane : Lane.values()) {
            bytes(lane);
            duration(lane);
        }
        for (Stage stage : Stage.values()) {
            failures(stage);
        }
    }

    @Override
    public void published(Lane lane, long objectBytes, long nanos) {
        bytes(lane).increment((double) objectBytes);
        duration(lane).record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void failed(Stage stage) {
        failures(stage).increment();
    }

    @Override
    public void deleted(int extents, long bytes) {
        Counter.builder("catchment.flush.released")
                .description("Flushed extents deleted from the local disk")
                .baseUnit("bytes")
                .register(registry)
                .increment((double) bytes);
    }

    @Override
    public void reaped(int objects) {
        Counter.builder("catchment.objects.reaped")
                .description("Doomed objects deleted from the store")
                .register(registry)
                .increment(objects);
    }

    /** @param stats asked at most twice a second */
    public void observe(Supplier<FlushStats> stats) {
        Snapshots<FlushStats> snapshots = new Snapshots<>(registry, stats)
                .gauge(
                        "catchment.flush.unflushed.extents",
                        "Local extents with data that are in no published object",
                        null,
                        FlushStats::unflushedExtents)
                .gauge(
                        "catchment.flush.stuck.extents",
                        "Extents that cannot be flushed for a reason of their own: see the log",
                        null,
                        FlushStats::stuckExtents)
                .gauge("catchment.flush.hot", "Flushed extents still on the local disk", "bytes", FlushStats::hotBytes)
                .gauge(
                        "catchment.objects.doomed",
                        "Objects of the cluster that wait to be deleted",
                        null,
                        FlushStats::doomedObjects)
                .gauge(
                        "catchment.flush.store.failures",
                        "Uploads failed in a row; 0 while the object store answers",
                        null,
                        FlushStats::storeFailures);
        for (Lane lane : Lane.values()) {
            snapshots
                    .gauge(
                            "catchment.flush.unflushed",
                            "Local data that is in no published object, by lane",
                            "bytes",
                            figures -> figures.unflushedBytes().getOrDefault(lane, 0L),
                            "lane",
                            name(lane))
                    .gauge(
                            "catchment.flush.oldest.unflushed",
                            "Age of the oldest such data, by lane",
                            "seconds",
                            figures -> figures.oldestUnflushedMs().getOrDefault(lane, 0L) / 1e3,
                            "lane",
                            name(lane));
        }
    }

    private Counter bytes(Lane lane) {
        return Counter.builder("catchment.flush.published")
                .description("Object bytes published, by lane")
                .baseUnit("bytes")
                .tag("lane", name(lane))
                .register(registry);
    }

    private Timer duration(Lane lane) {
        return Timer.builder("catchment.flush.duration")
                .description("From the start of an extent's flush to its publication, by lane")
                .tag("lane", name(lane))
                .register(registry);
    }

    private Counter failures(Stage stage) {
        return Counter.builder("catchment.flush.failures")
                .description("Steps of the flush that failed and were tried again, by stage")
                .tag("stage", stage.name().toLowerCase(Locale.ROOT))
                .register(registry);
    }

    private static String name(Lane lane) {
        return lane.name().toLowerCase(Locale.ROOT);
    }
}
