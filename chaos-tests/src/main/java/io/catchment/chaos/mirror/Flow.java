package io.catchment.chaos.mirror;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One direction: a topic under load in one cluster, and its mirror in the other one. Owned by the thread that runs the scenario; its load
 * has a thread of its own.
 */
final class Flow implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Flow.class);
    static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int PARTITIONS = 4;
    private static final int PARTITIONS_LATER = 6;
    /** MirrorMaker leaves these to each cluster. */
    private static final Set<String> OF_A_CLUSTER =
            Set.of("min.insync.replicas", "message.timestamp.type", "unclean.leader.election.enable");

    private final String source;
    private final String target;
    private final String topic;
    private final String mirror;
    private final int perSecond;
    private final Verdict verdict;
    private final Sent sent = new Sent();
    private final Admin sourceAdmin;
    private final Admin targetAdmin;
    private final Load load;
    private final Readers readers;
    private int partitions = PARTITIONS;
    private boolean exists;
    private long mirrored;

    /** Creates the topic and begins with the load. */
    Flow(String alias, String source, String target, String topic, int perSecond, long seed, Verdict verdict) {
        this.source = source;
        this.target = target;
        this.topic = topic;
        this.mirror = alias + "." + topic;
        this.perSecond = perSecond;
        this.verdict = verdict;
        Topics.create(source, topic, PARTITIONS, Map.of("max.message.bytes", "2000000", "segment.bytes", "20000000"));
        this.sourceAdmin = Admin.create(Map.of("bootstrap.servers", source));
        this.targetAdmin = Admin.create(Map.of("bootstrap.servers", target));
        this.readers = new Readers(this);
        this.load = new Load(source, topic, PARTITIONS, perSecond, seed, sent, verdict);
    }

    String source() {
        return source;
    }

    String target() {
        return target;
    }

    String topic() {
        return topic;
    }

    String mirror() {
        return mirror;
    }

    Admin sourceAdmin() {
        return sourceAdmin;
    }

    Admin targetAdmin() {
        return targetAdmin;
    }

    Verdict verdict() {
        return verdict;
    }

    Sent sent() {
        return sent;
    }

    Readers readers() {
        return readers;
    }

    /** Records a second, of one partition. */
    int partitionPerSecond() {
        return perSecond / PARTITIONS;
    }

    /** Of the source topic or, by the same numbers, of its mirror. */
    List<TopicPartition> partitions(String name) {
        return IntStream.range(0, partitions)
                .mapToObj(partition -> new TopicPartition(name, partition))
                .toList();
    }

    /** Another value, one less and one more; more partitions, and records in them. */
    void alter() {
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        get(sourceAdmin
                .incrementalAlterConfigs(Map.of(
                        resource,
                        List.of(
                                set("max.message.bytes", "3000000"),
                                set("cleanup.policy", "delete"),
                                set("retention.bytes", "4000000000"),
                                new AlterConfigOp(
                                        new ConfigEntry("segment.bytes", null), AlterConfigOp.OpType.DELETE))))
                .all());
        get(sourceAdmin
                .createPartitions(Map.of(topic, NewPartitions.increaseTo(PARTITIONS_LATER)))
                .all());
        partitions = PARTITIONS_LATER;
        load.spread(PARTITIONS_LATER);
    }

    private static AlterConfigOp set(String key, String value) {
        return new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
    }

    /** Where readers of committed records come to an end, of all partitions of the mirror: what was said last. */
    private long mirrored() {
        try {
            exists = exists || get(targetAdmin.listTopics().names()).contains(mirror);
            if (exists) {
                mirrored = ends(targetAdmin, partitions(mirror), IsolationLevel.READ_COMMITTED).values().stream()
                        .mapToLong(Long::longValue)
                        .sum();
            }
        } catch (IllegalStateException e) {
            LOG.debug("{} has no leader yet", mirror, e);
        }
        return mirrored;
    }

    static Map<TopicPartition, Long> ends(Admin admin, List<TopicPartition> partitions, IsolationLevel level) {
        var ends = get(admin.listOffsets(
                        partitions.stream().collect(Collectors.toMap(one -> one, one -> OffsetSpec.latest())),
                        new ListOffsetsOptions(level))
                .all());
        return ends.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue()
                .offset()));
    }

    /** @throws IllegalStateException with what a node answered, or when it did not */
    static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException("no answer from the cluster within 60 s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Records come out again. */
    void awaitProgress(String after) {
        long before = mirrored();
        if (!Await.within(PATIENCE, Duration.ofMillis(250), () -> mirrored() > before + perSecond)) {
            verdict.violation(
                    Violation.Kind.LATE,
                    "nothing new in %s for %d s (%s), at %d".formatted(mirror, PATIENCE.toSeconds(), after, before));
        }
    }

    /** No further records. */
    void rest() {
        load.close();
    }

    /** All records are in the mirror as they were sent, and its partitions and configuration are the topic's. */
    void check() {
        boolean same = Await.within(PATIENCE, Duration.ofSeconds(1), () -> describe(sourceAdmin, topic)
                .equals(describe(targetAdmin, mirror)));
        if (!same) {
            verdict.violation(
                    Violation.Kind.DIFFERENT,
                    "%s is %s, %s is %s"
                            .formatted(topic, describe(sourceAdmin, topic), mirror, describe(targetAdmin, mirror)));
        }
        Map<Integer, List<ConsumerRecord<byte[], byte[]>>> read = read();
        for (TopicPartition one : partitions(mirror)) {
            MirrorCheck.partition(
                    one, sent.of(one.partition()), read.getOrDefault(one.partition(), List.of()), verdict);
        }
    }

    /** Number of partitions, and what has been set for the topic. */
    private static Map<String, String> describe(Admin admin, String name) {
        try {
            var resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
            Map<String, String> text = new TreeMap<>();
            get(admin.describeConfigs(List.of(resource)).all()).forEach((one, config) -> config.entries().stream()
                    .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                    .filter(entry -> !OF_A_CLUSTER.contains(entry.name()))
                    .forEach(entry -> text.put(entry.name(), entry.value())));
            get(admin.describeTopics(List.of(name)).allTopicNames())
                    .forEach((one, description) -> text.put(
                            "partitions",
                            String.valueOf(description.partitions().size())));
            return text;
        } catch (IllegalStateException e) {
            return Map.of("error", String.valueOf(e.getMessage()));
        }
    }

    /** Reads the mirror to its end, which must have come within our patience. */
    private Map<Integer, List<ConsumerRecord<byte[], byte[]>>> read() {
        Map<Integer, List<ConsumerRecord<byte[], byte[]>>> read = new HashMap<>();
        Map<String, Object> config =
                Map.of("bootstrap.servers", target, "isolation.level", "read_committed", "enable.auto.commit", false);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> all = partitions(mirror);
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Await.within(PATIENCE, Duration.ZERO, () -> {
                consumer.poll(Duration.ofMillis(200))
                        .forEach(record -> read.computeIfAbsent(record.partition(), p -> new ArrayList<>())
                                .add(record));
                Map<TopicPartition, Long> ends = consumer.endOffsets(all);
                return read.values().stream().mapToLong(List::size).sum() >= sent.count()
                        && all.stream().allMatch(one -> consumer.position(one) >= ends.getOrDefault(one, 0L));
            });
        }
        return read;
    }

    @Override
    public void close() {
        load.close();
        sourceAdmin.close(Duration.ofSeconds(5));
        targetAdmin.close(Duration.ofSeconds(5));
    }
}
