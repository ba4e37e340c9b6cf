package io.catchment.broker.observe;

import io.catchment.objectstore.retry.StoreListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Requests to the object store by operation and outcome, their latency, bytes and retries. Thread-safe. */
public final class StoreMetrics implements StoreListener {
    private static final Duration[] BUCKETS = {
        Duration.ofMillis(5),
        Duration.ofMillis(10),
        Duration.ofMillis(25),
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(250),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofSeconds(2),
        Duration.ofSeconds(5),
        Duration.ofSeconds(15),
        Duration.ofSeconds(60)
    };

    private final MeterRegistry registry;
    private final ConcurrentHashMap<Kind, Meters> meters = new ConcurrentHashMap<>();
    private final Counter circuitOpenings;
    private volatile boolean circuitOpen;
    private volatile long distanceMs;

    private record Kind(Operation operation, Outcome outcome) {}

    private record Meters(Timer latency, Counter requests, Counter bytes, Counter retries) {}

    StoreMetrics(MeterRegistry registry) {
        this.registry = registry;
        Gauge.builder("catchment.object.circuit.open", this, metrics -> metrics.circuitOpen ? 1 : 0)
                .description("1 while no requests are sent because the object store fails")
                .strongReference(true)
                .register(registry);
        circuitOpenings = Counter.builder("catchment.object.circuit.openings")
                .description("How often requests stopped because the object store failed")
                .register(registry);
        Gauge.builder("catchment.object.pace", this, metrics -> metrics.distanceMs / 1e3)
                .description("Distance that requests keep because the object store wants fewer of them; 0: none")
                .baseUnit("seconds")
                .strongReference(true)
                .register(registry);
    }

    @Override
    public void attempted(Operation operation, Outcome outcome, int requests, long bytes, long nanos, int attempt) {
        Meters ofKind = meters.computeIfAbsent(new Kind(operation, outcome), this::create);
        ofKind.latency.record(nanos, TimeUnit.NANOSECONDS);
        ofKind.requests.increment(requests);
        ofKind.bytes.increment((double) bytes);
        if (attempt > 1) {
            ofKind.retries.increment();
        }
    }

    @Override
    public void paced(long ms) {
        distanceMs = ms;
    }

    @Override
    public void circuit(boolean open) {
        circuitOpen = open;
        if (open) {
            circuitOpenings.increment();
        }
    }

    private Meters create(Kind kind) {
        String[] tags = {"operation", lower(kind.operation.name()), "outcome", lower(kind.outcome.name())};
        return new Meters(
                Timer.builder("catchment.object.requests")
                        .description("Attempts at requests to the object store, by outcome")
                        .tags(tags)
                        .serviceLevelObjectives(BUCKETS)
                        .register(registry),
                Counter.builder("catchment.object.billed")
                        .description("Requests as the object store counts them: an upload in parts is several")
                        .baseUnit("requests")
                        .tags(tags)
                        .register(registry),
                Counter.builder("catchment.object.transferred")
                        .description("Bodies of requests to the object store")
                        .baseUnit("bytes")
                        .tags(tags)
                        .register(registry),
                Counter.builder("catchment.object.retries")
                        .description("Of the attempts, those that were not the first")
                        .tags(tags)
                        .register(registry));
    }

    private static String lower(String name) {
        return name.toLowerCase(Locale.ROOT);
    }
}
