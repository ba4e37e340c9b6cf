package io.catchment.broker.group;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.List;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.Metrics;

/** The coordinator's own figures that tell how groups fare, under this project's names. Immutable. */
final class GroupMeters implements MeterBinder {
    private static final String KAFKA_GROUP = "group-coordinator-metrics";

    private enum Kind {
        GAUGE,
        COUNTER
    }

    /** @param kafka name of the coordinator's metric; its tags are kept */
    private record Meter(String kafka, String name, Kind kind, String what) {}

    private static final List<Meter> METERS = List.of(
            new Meter("num-partitions", "catchment.group.partitions", Kind.GAUGE, "offsets partitions by state"),
            new Meter("group-count", "catchment.groups", Kind.GAUGE, "groups coordinated here"),
            new Meter("classic-group-count", "catchment.groups.classic", Kind.GAUGE, "classic groups by state"),
            new Meter("consumer-group-count", "catchment.groups.consumer", Kind.GAUGE, "KIP-848 groups by state"),
            new Meter("offset-count", "catchment.group.offsets", Kind.GAUGE, "committed offsets held"),
            new Meter("offset-commit-count", "catchment.group.offset.commits", Kind.COUNTER, "offsets committed"),
            new Meter(
                    "group-completed-rebalance-count",
                    "catchment.group.classic.rebalances",
                    Kind.COUNTER,
                    "completed rebalances of classic groups"),
            new Meter(
                    "consumer-group-rebalance-count",
                    "catchment.group.consumer.rebalances",
                    Kind.COUNTER,
                    "new assignments of KIP-848 groups"),
            new Meter("event-queue-size", "catchment.group.events.queued", Kind.GAUGE, "events that wait for a thread"),
            new Meter(
                    "event-queue-time-ms-p99",
                    "catchment.group.event.queue.time.p99.ms",
                    Kind.GAUGE,
                    "wait of events for a thread"),
            new Meter(
                    "event-purgatory-time-ms-p99",
                    "catchment.group.event.acknowledge.time.p99.ms",
                    Kind.GAUGE,
                    "wait of written events for their acknowledgement"),
            new Meter(
                    "partition-load-time-max",
                    "catchment.group.load.time.max.ms",
                    Kind.GAUGE,
                    "longest load of an offsets partition lately"));

    private final Metrics kafka;

    GroupMeters(Metrics kafka) {
        this.kafka = kafka;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        for (KafkaMetric metric : kafka.metrics().values()) {
            MetricName name = metric.metricName();
            if (name.group().equals(KAFKA_GROUP)) {
                METERS.stream()
                        .filter(meter -> meter.kafka().equals(name.name()))
                        .forEach(meter -> bind(registry, meter, metric));
            }
        }
    }

    private static void bind(MeterRegistry registry, Meter meter, KafkaMetric metric) {
        Tags tags = Tags.empty();
        for (var tag : metric.metricName().tags().entrySet()) {
            tags = tags.and(tag.getKey(), tag.getValue());
        }
        switch (meter.kind()) {
            case GAUGE ->
                Gauge.builder(meter.name(), metric, GroupMeters::value)
                        .tags(tags)
                        .description(meter.what())
                        .register(registry);
            case COUNTER ->
                FunctionCounter.builder(meter.name(), metric, GroupMeters::value)
                        .tags(tags)
                        .description(meter.what())
                        .register(registry);
        }
    }

    private static double value(KafkaMetric metric) {
        return metric.metricValue() instanceof Number number ? number.doubleValue() : Double.NaN;
    }
}
