package io.catchment.chaos.workload;

import io.catchment.chaos.history.HistoryChecker;
import io.catchment.chaos.history.Stamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a topic from its first record to the end it had when the reading began. */
public final class LogReader {
    private static final Duration STALL = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(500);

    private LogReader() {}

    /**
     * Feeds every record to the checker, partition by partition in order of offsets.
     *
     * @throws IllegalStateException when nothing arrives for a minute although the end is not reached
     */
    public static void readAll(String bootstrap, String topic, HistoryChecker checker) {
        try (var consumer =
                new KafkaConsumer<>(config(bootstrap), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> all = new ArrayList<>();
            for (PartitionInfo info : consumer.partitionsFor(topic, STALL)) {
                all.add(new TopicPartition(topic, info.partition()));
            }
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> end = consumer.endOffsets(all, STALL);
            Set<TopicPartition> unread = new HashSet<>();
            end.forEach((partition, offset) -> {
                if (offset > 0) {
                    unread.add(partition);
                }
            });
            long lastProgress = System.nanoTime();
            while (!unread.isEmpty()) {
                var records = consumer.poll(POLL);
                for (ConsumerRecord<byte[], byte[]> message : records) {
                    checker.read(
                            message.partition(), message.offset(), Stamp.readFrom(message.headers()), message.value());
                }
                for (TopicPartition partition : records.partitions()) {
                    if (consumer.position(partition) >= end.getOrDefault(partition, 0L)) {
                        unread.remove(partition);
                    }
                }
                long now = System.nanoTime();
                if (!records.isEmpty()) {
                    lastProgress = now;
                } else if (now - lastProgress > STALL.toNanos()) {
                    throw new IllegalStateException(
                            "no record of " + unread + " for " + TimeUnit.NANOSECONDS.toSeconds(now - lastProgress)
                                    + " s; read " + checker.readCount() + ", ends " + end);
                }
            }
        }
        checker.finish();
    }

    static Map<String, Object> config(String bootstrap) {
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.CHECK_CRCS_CONFIG, true);
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 5000);
        config.put(ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 200);
        // a node that hangs is seen to sooner than after half a minute
        config.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
        return config;
    }
}
