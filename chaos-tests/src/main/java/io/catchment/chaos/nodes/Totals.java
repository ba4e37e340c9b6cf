package io.catchment.chaos.nodes;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads what the application puts out, committed only: of each article the counts 1, 2, 3 …, each once. A thread of its own. */
final class Totals implements AutoCloseable {
    static final String TOPIC = "totals";

    private final Map<String, Long> seen = new ConcurrentHashMap<>();
    private final Verdict verdict;
    private final Thread thread;
    private volatile boolean ended;

    Totals(String bootstrap, int partitions, Verdict verdict) {
        this.verdict = verdict;
        this.thread = new Thread(() -> read(bootstrap, partitions), "totals");
        thread.start();
    }

    long of(String article) {
        return seen.getOrDefault(article, 0L);
    }

    long sum() {
        return seen.values().stream().mapToLong(Long::longValue).sum();
    }

    private void read(String bootstrap, int partitions) {
        Map<String, Object> config =
                Map.of("bootstrap.servers", bootstrap, "isolation.level", "read_committed", "client.id", "totals");
        try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> all = IntStream.range(0, partitions)
                    .mapToObj(partition -> new TopicPartition(TOPIC, partition))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            while (!ended) {
                consumer.poll(Duration.ofMillis(200)).forEach(this::check);
            }
        } catch (RuntimeException e) {
            verdict.violation(Violation.Kind.FAILED, "the reader of the totals: " + e);
        }
    }

    private void check(ConsumerRecord<String, String> record) {
        long count = Long.parseLong(record.value());
        long before = of(record.key());
        if (count <= before) {
            verdict.violation(
                    Violation.Kind.DUPLICATED,
                    "%s-%d@%d: %s is at %d after %d"
                            .formatted(
                                    record.topic(), record.partition(), record.offset(), record.key(), count, before));
        } else if (count > before + 1) {
            verdict.violation(
                    Violation.Kind.LOST,
                    "%s-%d@%d: %s is at %d after %d"
                            .formatted(
                                    record.topic(), record.partition(), record.offset(), record.key(), count, before));
        }
        seen.put(record.key(), count);
    }

    @Override
    public void close() {
        ended = true;
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
