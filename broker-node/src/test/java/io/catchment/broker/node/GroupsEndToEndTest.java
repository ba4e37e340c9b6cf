package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.GroupProtocol;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Stock consumers of both group protocols and the stock admin client against a whole node. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GroupsEndToEndTest {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    private static Path directory = Path.of("set by JUnit");

    private LocalNode node;
    private Admin admin;

    @BeforeAll
    void start() throws Exception {
        node = LocalNode.start(
                directory,
                Map.of(
                        "offsets.topic.num.partitions", "5",
                        "group.consumer.min.heartbeat.interval.ms", "200",
                        "group.consumer.heartbeat.interval.ms", "200",
                        "group.consumer.assignment.interval.ms", "0"));
        admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()));
    }

    @AfterAll
    void stop() {
        admin.close();
        node.close();
    }

    @ParameterizedTest
    @EnumSource(GroupProtocol.class)
    void threeConsumersShareTakeOverAndLoseNothing(GroupProtocol protocol) throws Exception {
        String topic = topic("shared-" + protocol, 6);
        String group = "group-" + protocol;
        produce(topic, 6, 0, 3_000);
        List<Audience> audience = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                audience.add(new Audience(node.bootstrap(), group, protocol, Set.of(topic)));
            }
            await("three share", () -> audience.stream().allMatch(member -> member.assigned() == 2));
            await("all is read", () -> heard(audience).size() == 3_000);
            GroupListing listed = listing(group);
            assertThat(listed.type()).contains(GroupType.valueOf(protocol.name()));
            assertThat(listed.groupState()).contains(GroupState.STABLE);
            ConsumerGroupDescription described = admin.describeConsumerGroups(List.of(group))
                    .describedGroups()
                    .get(group)
                    .get();
            assertThat(described.members()).hasSize(3);
            assertThat(described.members().stream()
                            .map(MemberDescription::assignment)
                            .flatMap(assignment -> assignment.topicPartitions().stream()))
                    .containsExactlyInAnyOrderElementsOf(partitions(topic, 6));

            Audience leaving = audience.get(0);
            leaving.close();
            produce(topic, 6, 3_000, 6_000);
            List<Audience> rest = audience.subList(1, 3);
            await("two take over", () -> rest.stream().allMatch(member -> member.assigned() == 3));
            await("nothing is lost", () -> heard(audience).size() == 6_000);
        } finally {
            audience.forEach(Audience::close);
        }
        Map<TopicPartition, OffsetAndMetadata> committed = committed(group);
        assertThat(committed).hasSize(6);
        assertThat(committed.values()).extracting(OffsetAndMetadata::offset).containsOnly(1_000L);
    }

    @ParameterizedTest
    @EnumSource(GroupProtocol.class)
    void groupsAndOffsetsSurviveARestartUnderTheirConsumers(GroupProtocol protocol) throws Exception {
        String topic = topic("restart-" + protocol, 2);
        String group = "restarted-" + protocol;
        produce(topic, 2, 0, 100);
        try (Audience consumer = new Audience(node.bootstrap(), group, protocol, Set.of(topic))) {
            await("the first half", () -> consumer.heard().size() == 100);
            await("its commit", () -> committedTotal(group) == 100);
            node.restart();
            assertThat(committedTotal(group)).isEqualTo(100);
            produce(topic, 2, 100, 200);
            await("the second half", () -> consumer.heard().size() == 200);
            assertThat(consumer.duplicates()).as("read again after the restart").isZero();
            await("its commit", () -> committedTotal(group) == 200);
        }
    }

    @Test
    void aPatternOfTheConsumerProtocolIsResolvedByTheCoordinator() throws Exception {
        topic("plant-a", 1);
        produce("plant-a", 1, 0, 10);
        try (Audience consumer = new Audience(node.bootstrap(), "by-pattern", new SubscriptionPattern("plant-.*"))) {
            await("records of the topic that matches", () -> consumer.heard().size() == 10);
        }
    }

    @Test
    void offsetsAreListedAlteredAndDeletedByTheAdminClient() throws Exception {
        String topic = topic("administered", 3);
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        partitions(topic, 3)
                .forEach(partition -> offsets.put(partition, new OffsetAndMetadata(partition.partition() + 5L)));
        admin.alterConsumerGroupOffsets("administered", offsets).all().get();
        assertThat(committed("administered")).isEqualTo(offsets);
        assertThat(listing("administered").groupState()).contains(GroupState.EMPTY);

        TopicPartition first = new TopicPartition(topic, 0);
        admin.deleteConsumerGroupOffsets("administered", Set.of(first)).all().get();
        offsets.remove(first);
        assertThat(committed("administered")).isEqualTo(offsets);

        admin.deleteConsumerGroups(List.of("administered")).all().get();
        assertThat(groups()).doesNotContain("administered");
        assertThatThrownBy(() -> admin.describeConsumerGroups(List.of("administered"))
                        .all()
                        .get())
                .hasCauseInstanceOf(GroupIdNotFoundException.class);
    }

    @Test
    void theOffsetsOfADeletedTopicAreForgotten() throws Exception {
        topic("kept", 1);
        topic("dropped", 1);
        OffsetAndMetadata offset = new OffsetAndMetadata(3);
        admin.alterConsumerGroupOffsets(
                        "forgetful",
                        Map.of(new TopicPartition("kept", 0), offset, new TopicPartition("dropped", 0), offset))
                .all()
                .get();
        admin.deleteTopics(List.of("dropped")).all().get();
        await("the offset of the deleted topic goes", () -> committed("forgetful")
                .equals(Map.of(new TopicPartition("kept", 0), offset)));
    }

    @Test
    void theConfigurationOfAGroupIsTakenAndShown() throws Exception {
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, "configured");
        admin.incrementalAlterConfigs(Map.of(
                        group,
                        List.of(new AlterConfigOp(
                                new ConfigEntry("consumer.heartbeat.interval.ms", "321"), AlterConfigOp.OpType.SET))))
                .all()
                .get();
        await("the configuration is shown", () -> "321"
                .equals(Objects.requireNonNull(admin.describeConfigs(List.of(group))
                                .all()
                                .get()
                                .get(group))
                        .get("consumer.heartbeat.interval.ms")
                        .value()));
    }

    @Test
    void aConsumerWithoutAGroupSubscriptionCommitsForItself() throws Exception {
        String topic = topic("manual", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(Audience.config(node.bootstrap(), "manual", GroupProtocol.CLASSIC))) {
            consumer.assign(List.of(partition));
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(17, "by hand")));
            assertThat(consumer.committed(Set.of(partition)).get(partition))
                    .isEqualTo(new OffsetAndMetadata(17, "by hand"));
        }
    }

    // ---- helpers

    private String topic(String name, int partitions) throws Exception {
        String lower = name.toLowerCase(Locale.ROOT);
        admin.createTopics(List.of(new NewTopic(lower, partitions, (short) 1)))
                .all()
                .get();
        return lower;
    }

    private void produce(String topic, int partitions, int from, int to) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(producerConfig())) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = from; i < to; i++) {
                sent.add(producer.send(new ProducerRecord<>(topic, i % partitions, "key", "record-" + i)));
            }
            for (var record : sent) {
                record.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
            }
        }
    }

    private Map<String, Object> producerConfig() {
        return Map.of(
                "bootstrap.servers", node.bootstrap(),
                "key.serializer", StringSerializer.class,
                "value.serializer", StringSerializer.class);
    }

    private static Set<String> heard(Collection<Audience> audience) {
        return audience.stream().flatMap(member -> member.heard().stream()).collect(Collectors.toSet());
    }

    private Map<TopicPartition, OffsetAndMetadata> committed(String group) throws Exception {
        return admin.listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
    }

    private long committedTotal(String group) throws Exception {
        return committed(group).values().stream()
                .mapToLong(OffsetAndMetadata::offset)
                .sum();
    }

    private GroupListing listing(String group) throws Exception {
        return admin.listGroups().all().get().stream()
                .filter(listed -> listed.groupId().equals(group))
                .findFirst()
                .orElseThrow();
    }

    private Set<String> groups() throws Exception {
        return admin.listGroups().all().get().stream()
                .map(GroupListing::groupId)
                .collect(Collectors.toSet());
    }

    private static List<TopicPartition> partitions(String topic, int count) {
        return IntStream.range(0, count)
                .mapToObj(partition -> new TopicPartition(topic, partition))
                .toList();
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long endNanos = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("deadline for: " + what).isLessThan(endNanos);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }
}
