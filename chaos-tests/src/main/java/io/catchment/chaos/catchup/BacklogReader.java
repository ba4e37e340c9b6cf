package io.catchment.chaos.catchup;

import io.catchment.chaos.history.Stamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * One consumer, with a stock configuration, that reads some partitions from their first record to the end they had when it began. Checks
 * each record: offsets without a gap, the stamp's checksum, sequences that only grow. Owned by the thread that runs it.
 */
final class BacklogReader {
    private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int TOLD_MAX = 20;

    private final String bootstrap;
    private final List<TopicPartition> partitions;
    private final Map<TopicPartition, Long> next = new HashMap<>();
    private final Map<Sender, Long> sequences = new HashMap<>();
    private final List<String> violations = new ArrayList<>();
    private long records;
    private long bytes;

    private record Sender(TopicPartition partition, int producer) {}

    BacklogReader(String bootstrap, List<TopicPartition> partitions) {
        this.bootstrap = bootstrap;
        this.partitions = List.copyOf(partitions);
    }

    void run() {
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 5000);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long progress = System.nanoTime();
            while (ends.entrySet().stream().anyMatch(end -> next.getOrDefault(end.getKey(), 0L) < end.getValue())) {
                var polled = consumer.poll(Duration.ofMillis(500));
                for (ConsumerRecord<byte[], byte[]> message : polled) {
                    check(message);
                }
                long now = System.nanoTime();
                if (!polled.isEmpty()) {
                    progress = now;
                } else if (now - progress > STALL_NANOS) {
                    violation("nothing came for a minute; read to " + next + " of " + ends);
                    return;
                }
            }
        } catch (RuntimeException e) {
            violation("the reader failed: " + e);
        }
    }

    private void check(ConsumerRecord<byte[], byte[]> message) {
        var partition = new TopicPartition(message.topic(), message.partition());
        long expected = next.getOrDefault(partition, 0L);
        if (message.offset() != expected) {
            violation(partition + " went on at " + message.offset() + " instead of " + expected);
        }
        next.put(partition, message.offset() + 1);
        Stamp stamp = Stamp.readFrom(message.headers());
        if (stamp == null || stamp.crc() != Stamp.crc(message.value())) {
            violation(partition + " offset " + message.offset() + " is not what was sent");
        } else {
            Long before = sequences.put(new Sender(partition, stamp.producer()), stamp.sequence());
            if (before != null && before >= stamp.sequence()) {
                violation(partition + " offset " + message.offset() + " has record " + stamp.sequence() + " after "
                        + before);
            }
        }
        records++;
        bytes += message.serializedValueSize();
    }

    private void violation(String what) {
        if (violations.size() < TOLD_MAX) {
            violations.add(what);
        }
    }

    /** After the run. */
    List<String> violations() {
        return violations;
    }

    /** After the run. */
    long records() {
        return records;
    }

    /** After the run: of values. */
    long bytes() {
        return bytes;
    }
}
