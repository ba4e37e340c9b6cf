package io.catchment.chaos.compaction;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * What a consumer has that keeps the last value of each key, and what it met on the way.
 *
 * @param lastValues of each key a hash of its last value; 0: it has none
 * @param lastRounds of each key the round of its last value; -1: it has none
 * @param records that were read
 * @param tombstones among them
 * @param outOfOrder records whose offset is not above the one before in their partition
 */
record Materialised(int[] lastValues, int[] lastRounds, long records, long tombstones, long outOfOrder) {
    private static final Duration STALL = Duration.ofSeconds(60);

    static Materialised read(String bootstrap, String topic, int partitions, int keys) {
        int[] values = new int[keys];
        int[] rounds = new int[keys];
        Arrays.fill(rounds, -1);
        long records = 0;
        long tombstones = 0;
        long outOfOrder = 0;
        try (var consumer =
                new KafkaConsumer<>(config(bootstrap), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> all = new ArrayList<>();
            for (int i = 0; i < partitions; i++) {
                all.add(new TopicPartition(topic, i));
            }
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all, STALL);
            long[] last = new long[partitions];
            Arrays.fill(last, -1);
            Set<TopicPartition> unread = new HashSet<>(all);
            long lastProgress = System.nanoTime();
            while (!unread.isEmpty()) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    int key = Updates.key(record.key());
                    outOfOrder += record.offset() > last[record.partition()] ? 0 : 1;
                    last[record.partition()] = record.offset();
                    records++;
                    lastProgress = System.nanoTime();
                    if (record.value() == null) {
                        tombstones++;
                        values[key] = 0;
                        rounds[key] = -1;
                    } else {
                        values[key] = Arrays.hashCode(record.value()) | 1;
                        rounds[key] = Updates.round(record.value());
                    }
                }
                unread.removeIf(partition -> consumer.position(partition) >= ends.getOrDefault(partition, 0L));
                if (System.nanoTime() - lastProgress > STALL.toNanos()) {
                    throw new IllegalStateException("no record of " + unread + " for "
                            + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - lastProgress) + " s, ends " + ends);
                }
            }
        }
        return new Materialised(values, rounds, records, tombstones, outOfOrder);
    }

    /** How many keys have another last value there. */
    int differences(Materialised other) {
        int different = 0;
        for (int key = 0; key < lastValues.length; key++) {
            different += lastValues[key] == other.lastValues[key] ? 0 : 1;
        }
        return different;
    }

    /** How many keys do not have a value of the round. */
    int notOfRound(int[] expected) {
        int different = 0;
        for (int key = 0; key < expected.length; key++) {
            different += lastRounds[key] == expected[key] ? 0 : 1;
        }
        return different;
    }

    private static Map<String, Object> config(String bootstrap) {
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
        return config;
    }
}
