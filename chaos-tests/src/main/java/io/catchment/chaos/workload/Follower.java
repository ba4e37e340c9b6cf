package io.catchment.chaos.workload;

import io.catchment.chaos.history.Stamp;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member of a consumer group that follows a topic at its tail through whatever happens, commits a few times a second and knows
 * which commits were acknowledged. Reports records that are skipped and group offsets that are lost, at each assignment and at the end.
 *
 * <p>Runs on a thread of its own, which owns the consumer; {@link #committed}, {@link #received} and {@link #latencies} may be
 * called from any.
 */
public final class Follower implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Follower.class);
    /** Longer than a zone is away in any scenario: the cluster may not answer for a group while its coordinator is there. */
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private static final long COMMIT_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private final String bootstrap;
    private final String topic;
    private final String group;
    private final String protocol;
    private final Verdict verdict;
    private final Thread thread;
    private final Map<TopicPartition, Long> expected = new HashMap<>();
    private volatile Latencies latencies = new Latencies();
    private final Commits commits;
    private final AtomicLong received = new AtomicLong();
    private volatile boolean stop;

    /** @param protocol classic or consumer */
    public Follower(String bootstrap, String topic, String group, String protocol, Verdict verdict) {
        this.bootstrap = bootstrap;
        this.topic = topic;
        this.group = group;
        this.protocol = protocol;
        this.verdict = verdict;
        this.commits = new Commits(group);
        this.thread = new Thread(this::run, "follower-" + group);
        thread.start();
    }

    private void run() {
        Map<String, Object> config = LogReader.config(bootstrap);
        config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        config.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, protocol.toLowerCase(Locale.ROOT));
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 250);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic), new Positions(consumer));
            long nextCommit = System.nanoTime() + COMMIT_EVERY_NANOS;
            while (!stop) {
                poll(consumer);
                if (System.nanoTime() >= nextCommit) {
                    commit(consumer);
                    nextCommit = System.nanoTime() + COMMIT_EVERY_NANOS;
                }
            }
            commit(consumer);
        } catch (WakeupException e) {
            LOG.debug("stopped while waiting", e);
        } catch (RuntimeException e) {
            verdict.violation(Violation.Kind.FAILED, "follower of group " + group + ": " + e);
        }
    }

    private void poll(KafkaConsumer<byte[], byte[]> consumer) {
        var records = consumer.poll(Duration.ofMillis(100));
        long now = System.nanoTime();
        for (ConsumerRecord<byte[], byte[]> message : records) {
            var partition = new TopicPartition(message.topic(), message.partition());
            Long next = expected.put(partition, message.offset() + 1);
            if (next != null && next != message.offset()) {
                verdict.violation(
                        Violation.Kind.OFFSETS,
                        "follower of group %s: %s went on at %d instead of %d"
                                .formatted(group, partition, message.offset(), next));
            }
            Stamp stamp = Stamp.readFrom(message.headers());
            if (stamp != null) {
                latencies.addNanos(now - stamp.sentNanos());
            }
        }
        received.addAndGet(records.count());
    }

    private void commit(KafkaConsumer<byte[], byte[]> consumer) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : consumer.assignment()) {
            Long next = expected.get(partition);
            if (next != null) {
                offsets.put(partition, new OffsetAndMetadata(next, "by the follower"));
            }
        }
        if (offsets.isEmpty()) {
            return;
        }
        commits.attempt(offsets);
        try {
            consumer.commitSync(offsets, Duration.ofSeconds(5));
        } catch (CommitFailedException | RetriableException e) {
            // the group has moved on, or the node is away: whether it was written is unknown
            LOG.debug("commit of {}: {}", group, e.toString());
            commits.lose(offsets);
            return;
        }
        commits.acknowledge(offsets);
    }

    public long received() {
        return received.get();
    }

    /** Send-to-receive latencies since the last call of {@link #resetLatencies}. Only for records sent by this process. */
    public Latencies latencies() {
        return latencies;
    }

    public Latencies resetLatencies() {
        Latencies before = latencies;
        latencies = new Latencies();
        return before;
    }

    /** What the group has committed for certain. */
    public Map<TopicPartition, Long> committed() {
        return commits.acknowledged();
    }

    @Override
    public void close() {
        finish();
    }

    /** Stops following, with a last commit; the group's offsets stay. */
    public void finish() {
        stop = true;
        try {
            thread.join(TimeUnit.SECONDS.toMillis(30));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            verdict.violation(Violation.Kind.LATE, "follower of group " + group + " did not stop within 30 s");
            thread.interrupt();
        }
    }

    /** Asks the cluster for the group's offsets: each must be the last acknowledged one, or one attempted after it. */
    public void checkCommits() {
        checkCommits(bootstrap);
    }

    /** The same of another cluster that is to have the group's offsets. */
    public void checkCommits(String at) {
        Map<String, Object> config = LogReader.config(at);
        config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        Map<TopicPartition, OffsetAndMetadata> now;
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            now = consumer.committed(committed().keySet(), PATIENCE);
        } catch (KafkaException e) {
            verdict.violation(Violation.Kind.FAILED, "reading the offsets of group " + group + ": " + e);
            return;
        }
        commits.checkAll(now, verdict);
    }

    /** After an assignment the group goes on where it has committed: that is the next record to expect. */
    private final class Positions implements ConsumerRebalanceListener {
        private final KafkaConsumer<byte[], byte[]> consumer;

        Positions(KafkaConsumer<byte[], byte[]> consumer) {
            this.consumer = consumer;
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            partitions.forEach(expected::remove);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            for (TopicPartition partition : partitions) {
                expected.remove(partition);
            }
            Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(Set.copyOf(partitions), PATIENCE);
            commits.checkSome(committed, Set.copyOf(partitions), verdict);
            for (TopicPartition partition : partitions) {
                OffsetAndMetadata offset = committed.get(partition);
                expected.put(partition, offset == null ? 0 : offset.offset());
            }
        }
    }
}
