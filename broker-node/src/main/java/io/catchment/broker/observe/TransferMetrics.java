package io.catchment.broker.observe;

import io.catchment.objectstore.transfer.Direction;
import io.catchment.objectstore.transfer.TransferClass;
import io.catchment.objectstore.transfer.TransferListener;
import io.catchment.objectstore.transfer.TransferScheduler;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Transfers with the object store by class and direction: bytes, how long they waited, who waits now. Thread-safe. */
public final class TransferMetrics implements TransferListener {
    private static final Duration[] BUCKETS = {
        Duration.ofMillis(1),
        Duration.ofMillis(10),
        Duration.ofMillis(100),
        Duration.ofSeconds(1),
        Duration.ofSeconds(10),
        Duration.ofSeconds(100)
    };

    private final MeterRegistry registry;
    private final ConcurrentHashMap<Kind, Meters> meters = new ConcurrentHashMap<>();

    private record Kind(TransferClass of, Direction direction) {
        String[] tags() {
            return new String[] {
                "class",
                of.name().toLowerCase(Locale.ROOT),
                "direction",
                direction.name().toLowerCase(Locale.ROOT)
            };
        }
    }

    private record Meters(Timer waited, Counter bytes, Counter failed, Counter refused) {}

    TransferMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /** What waits and what is under way. */
    public void observe(TransferScheduler scheduler) {
        for (TransferClass of : TransferClass.values()) {
            for (Direction direction : Direction.values()) {
                String[] tags = new Kind(of, direction).tags();
                Gauge.builder("catchment.transfers.waiting", scheduler, s -> s.waiting(of, direction))
                        .description("Transfers that wait for their turn")
                        .tags(tags)
                        .strongReference(true)
                        .register(registry);
                Gauge.builder("catchment.transfers.running", scheduler, s -> s.running(of, direction))
                        .description("Transfers under way")
                        .tags(tags)
                        .strongReference(true)
                        .register(registry);
            }
        }
    }

    @Override
    public void started(TransferClass of, Direction direction, long waitedNanos) {
        meters(of, direction).waited.record(waitedNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void ended(TransferClass of, Direction direction, long bytes, boolean ok) {
        Meters kind = meters(of, direction);
        kind.bytes.increment((double) bytes);
        if (!ok) {
            kind.failed.increment();
        }
    }

    @Override
    public void refused(TransferClass of, Direction direction) {
        meters(of, direction).refused.increment();
    }

    private Meters meters(TransferClass of, Direction direction) {
        return meters.computeIfAbsent(new Kind(of, direction), this::create);
    }

    private Meters create(Kind kind) {
        String[] tags = kind.tags();
        return new Meters(
                Timer.builder("catchment.transfer.queue")
                        .description("How long transfers waited for their turn")
                        .tags(tags)
                        .serviceLevelObjectives(BUCKETS)
                        .register(registry),
                Counter.builder("catchment.transfer")
                        .description("Bodies of transfers that succeeded")
                        .baseUnit("bytes")
                        .tags(tags)
                        .register(registry),
                Counter.builder("catchment.transfer.failed")
                        .description("Transfers that failed after all their attempts")
                        .tags(tags)
                        .register(registry),
                Counter.builder("catchment.transfer.refused")
                        .description("Transfers that found the queue of their class full")
                        .tags(tags)
                        .register(registry));
    }
}
