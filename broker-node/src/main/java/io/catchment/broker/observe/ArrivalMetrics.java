package io.catchment.broker.observe;

import io.catchment.broker.partition.ArrivalObserver;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How late events arrive, by topic: the age of the newest record of each batch when it comes in. Thread-safe. Only so many topics have
 * a histogram of their own; all later ones share the topic {@code other}.
 */
public final class ArrivalMetrics implements ArrivalObserver {
    private static final int TOPICS_MAX = 200;
    private static final double[] BUCKETS_SECONDS = {
        0.1, 1, 5, 15, 60, 300, 900, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, 24 * 3_600, 3 * 24 * 3_600, 7 * 24 * 3_600
    };

    private final MeterRegistry registry;
    private final ConcurrentHashMap<String, DistributionSummary> byTopic = new ConcurrentHashMap<>();
    private final DistributionSummary other;
    private final Counter fromTheFuture;

    ArrivalMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.other = create("other");
        this.fromTheFuture = Counter.builder("catchment.arrival.future")
                .description("Batches whose newest record is later than this node's clock")
                .register(registry);
    }

    @Override
    public void arrived(String topic, long delayMs) {
        if (delayMs < 0) {
            fromTheFuture.increment();
        }
        DistributionSummary known = byTopic.get(topic);
        if (known == null) {
            known = byTopic.size() < TOPICS_MAX ? byTopic.computeIfAbsent(topic, this::create) : other;
        }
        known.record(Math.max(0, delayMs) / 1_000.0);
    }

    private DistributionSummary create(String topic) {
        return DistributionSummary.builder("catchment.arrival.delay")
                .description("Age of the newest record of each batch at its arrival, by topic")
                .baseUnit("seconds")
                .tag("topic", topic)
                .serviceLevelObjectives(BUCKETS_SECONDS)
                .register(registry);
    }
}
