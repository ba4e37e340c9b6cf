package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Two producers, then two consumers; one of the two has a quota and always wants more. Both use one partition: a quota is each broker's
 * own. What is measured begins after the first window, in which a client that was silent may have all of it at once.
 */
final class Quota {
    /** Samples of a second that a rate is reckoned over: Kafka's default, and ours. */
    private static final int WINDOW_S = 11;

    private static final int VALUE_BYTES = 10_000;
    private static final double TOLERANCE = 0.10;
    private static final String HELD = "held";
    private static final String FREE = "free";

    private final Cluster cluster;
    private final Plan plan;
    private final Verdict verdict;
    private final List<String> figures = new ArrayList<>();

    /** @param windows measured, of each kind */
    record Plan(int bytesPerSecond, int windows) {}

    /** What one client had, and how long it was told to wait at most. */
    private record Outcome(ByteClock clock, double throttledMsMax) {}

    Quota(Cluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
    }

    String run() throws Exception {
        Topics.create(cluster.bootstrap(), HELD, 1);
        Topics.create(cluster.bootstrap(), FREE, 1);
        setQuota();
        figures.add("  %-8s %-6s %12s %12s %12s %14s"
                .formatted("", "client", "first 11 s", "mean MB/s", "of its", "told to wait"));
        both("produce", this::produce);
        fill();
        both("fetch", this::fetch);
        return String.join("\n", figures);
    }

    private void setQuota() throws Exception {
        var held = new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, HELD));
        double limit = plan.bytesPerSecond();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrap()))) {
            admin.alterClientQuotas(List.of(new ClientQuotaAlteration(
                            held,
                            List.of(
                                    new ClientQuotaAlteration.Op("producer_byte_rate", limit),
                                    new ClientQuotaAlteration.Op("consumer_byte_rate", limit)))))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
        // All brokers hear of it within moments; the first window is not measured
    }

    private interface Use {
        Outcome of(String client) throws Exception;
    }

    private void both(String what, Use use) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            Callable<Outcome> held = () -> use.of(HELD);
            Callable<Outcome> free = () -> use.of(FREE);
            Future<Outcome> first = threads.submit(held);
            Future<Outcome> second = threads.submit(free);
            judge(what, HELD, first.get(), plan.bytesPerSecond(), TOLERANCE);
            judge(what, FREE, second.get(), freeRate(), TOLERANCE);
        } finally {
            threads.shutdownNow();
        }
    }

    /** What the client without a quota wants: more than the other may have. */
    private double freeRate() {
        return 2.0 * plan.bytesPerSecond();
    }

    private int seconds() {
        return (plan.windows() + 2) * WINDOW_S;
    }

    private void judge(String what, String client, Outcome outcome, double expected, double tolerance) {
        ByteClock clock = outcome.clock();
        double mean = clock.meanPerSecond(WINDOW_S, seconds(), plan.windows() * WINDOW_S);
        figures.add("  %-8s %-6s %12.3f %12.3f %11.1f%% %11.0f ms"
                .formatted(
                        what,
                        client,
                        clock.perSecond(0, WINDOW_S) / 1e6,
                        mean / 1e6,
                        100 * mean / expected,
                        outcome.throttledMsMax()));
        boolean held = client.equals(HELD);
        if (Math.abs(mean / expected - 1) > tolerance) {
            verdict.violation(
                    Violation.Kind.QUOTA,
                    "%s: client %s had %.3f MB/s instead of %.3f".formatted(what, client, mean / 1e6, expected / 1e6));
        }
        if (held == (outcome.throttledMsMax() == 0)) {
            verdict.violation(
                    Violation.Kind.QUOTA,
                    "%s: client %s was told to wait for %.0f ms".formatted(what, client, outcome.throttledMsMax()));
        }
    }

    private Outcome produce(String client) throws Exception {
        try (var producer = producer(client)) {
            var clock = new ByteClock(seconds());
            byte[] value = value();
            long endNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds());
            var pace = new Pace(client.equals(HELD) ? Double.MAX_VALUE : freeRate());
            while (System.nanoTime() < endNanos) {
                pace.await(value.length);
                var unused = producer.send(new ProducerRecord<>(client, value), (at, failure) -> {
                    if (failure == null) {
                        clock.passed(value.length);
                    } else if (System.nanoTime() < endNanos) {
                        verdict.violation(Violation.Kind.FAILED, "send of client " + client + ": " + failure);
                    }
                });
            }
            double told = metric(producer.metrics(), "produce-throttle-time-max");
            producer.close(Duration.ZERO);
            return new Outcome(clock, told);
        }
    }

    /** So much that nobody comes to the end. */
    private void fill() throws Exception {
        long bytes = (long) (freeRate() * (seconds() + WINDOW_S));
        byte[] value = value();
        try (var producer = producer("filler")) {
            for (long sent = 0; sent < bytes; sent += value.length) {
                var unused2 = producer.send(new ProducerRecord<>(HELD, value));
                var unused3 = producer.send(new ProducerRecord<>(FREE, value));
            }
            producer.flush();
        }
    }

    private Outcome fetch(String client) throws Exception {
        Map<String, Object> config = Map.of(
                "bootstrap.servers",
                cluster.bootstrap(),
                "client.id",
                client,
                "max.poll.records",
                "100",
                "max.partition.fetch.bytes",
                "200000");
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            var partition = new TopicPartition(client, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            var clock = new ByteClock(seconds());
            long endNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds());
            var pace = new Pace(client.equals(HELD) ? Double.MAX_VALUE : freeRate());
            while (System.nanoTime() < endNanos) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    clock.passed(record.value().length);
                    pace.await(record.value().length);
                }
            }
            return new Outcome(clock, metric(consumer.metrics(), "fetch-throttle-time-max"));
        }
    }

    private KafkaProducer<byte[], byte[]> producer(String client) {
        return new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers", cluster.bootstrap(),
                        "client.id", client,
                        "acks", "all",
                        "buffer.memory", "1000000",
                        "max.block.ms", "120000",
                        "batch.size", "65536",
                        "delivery.timeout.ms", "180000"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    private static byte[] value() {
        byte[] value = new byte[VALUE_BYTES];
        Arrays.fill(value, (byte) 'q');
        return value;
    }

    private static double metric(Map<MetricName, ? extends Metric> metrics, String name) {
        return metrics.values().stream()
                .filter(metric -> metric.metricName().name().equals(name))
                .mapToDouble(metric -> (double) metric.metricValue())
                .filter(value -> !Double.isNaN(value))
                .max()
                .orElse(0);
    }

    /** Bytes at an even rate. */
    private static final class Pace {
        private final double bytesPerSecond;
        private final long startNanos = System.nanoTime();
        private double bytes;

        Pace(double bytesPerSecond) {
            this.bytesPerSecond = bytesPerSecond;
        }

        void await(int more) {
            bytes += more;
            long due = startNanos + (long) (bytes / bytesPerSecond * 1e9);
            while (System.nanoTime() < due) {
                LockSupport.parkNanos(due - System.nanoTime());
            }
        }
    }
}
