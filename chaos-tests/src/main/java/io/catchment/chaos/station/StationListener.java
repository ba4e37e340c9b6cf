package io.catchment.chaos.station;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The members of one consumer group, each on a thread, that read a fleet's topic until the audience has heard everything. */
final class StationListener {
    private final Audience audience;
    private final Verdict verdict;
    private final Duration patience;
    private final AtomicLong lastHeard = new AtomicLong(System.nanoTime());
    private volatile boolean done;

    /** @param patience how long nothing may arrive before the rest counts as lost */
    StationListener(Audience audience, Verdict verdict, Duration patience) {
        this.audience = audience;
        this.verdict = verdict;
        this.patience = patience;
    }

    void listen(
            String bootstrap,
            String topic,
            String group,
            String protocol,
            int members,
            Map<String, String> clientConfig) {
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        config.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, protocol);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.putAll(clientConfig);
        List<Thread> threads = new ArrayList<>();
        for (int member = 0; member < members; member++) {
            var thread = new Thread(() -> member(config, topic), group + "-" + member);
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                done = true;
            }
        }
        audience.finish();
    }

    private void member(Map<String, Object> config, String topic) {
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic), new CommitBeforeHandover(consumer));
            while (!done) {
                var records = consumer.poll(Duration.ofMillis(200));
                for (ConsumerRecord<byte[], byte[]> message : records) {
                    audience.hear(
                            message.partition(), message.offset(), message.timestamp(), message.key(), message.value());
                }
                long now = System.nanoTime();
                if (!records.isEmpty()) {
                    lastHeard.set(now);
                } else if (audience.complete() || now - lastHeard.get() > patience.toNanos()) {
                    done = true; // only after a poll that brought nothing more: a duplicate behind the last record is
                    // seen
                }
            }
            consumer.commitSync();
        } catch (RuntimeException e) {
            done = true;
            verdict.violation(Violation.Kind.FAILED, "group member: " + e);
        }
    }

    /** What was heard is committed before another member takes a partition over, so that nothing is heard twice. */
    private static final class CommitBeforeHandover implements ConsumerRebalanceListener {
        private final KafkaConsumer<byte[], byte[]> consumer;

        CommitBeforeHandover(KafkaConsumer<byte[], byte[]> consumer) {
            this.consumer = consumer;
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            consumer.commitSync();
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
    }
}
