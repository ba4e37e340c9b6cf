package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Stock share consumers (KIP-932) and the stock admin client against a whole node. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ShareGroupsEndToEndTest {
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final Duration A_MOMENT = Duration.ofMillis(200);
    private static final int LOCK_MS = 2_000;

    @TempDir
    private static Path directory = Path.of("set by JUnit");

    private LocalNode node;
    private Admin admin;

    @BeforeAll
    void start() throws Exception {
        node = LocalNode.start(
                directory,
                Map.of(
                        "offsets.topic.num.partitions", "3",
                        "share.coordinator.state.topic.num.partitions", "3",
                        "group.share.min.heartbeat.interval.ms", "200",
                        "group.share.heartbeat.interval.ms", "200",
                        "group.share.min.record.lock.duration.ms", "1000",
                        "group.share.record.lock.duration.ms", Integer.toString(LOCK_MS),
                        "group.share.assignment.interval.ms", "0"));
        admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()));
    }

    @AfterAll
    void stop() {
        admin.close();
        node.close();
    }

    @Test
    void membersShareOnePartitionAndEachRecordIsDeliveredOnce() throws Exception {
        String topic = topic("shared", 1);
        String group = group("sharing", "earliest");
        List<KafkaShareConsumer<String, String>> members = new ArrayList<>();
        Map<String, Integer> seen = new HashMap<>();
        Set<Integer> busy = new HashSet<>();
        try {
            for (int i = 0; i < 3; i++) {
                members.add(member(group, topic, Map.of("max.poll.records", "10")));
            }
            members.forEach(member -> member.poll(A_MOMENT));
            produce(topic, 0, 1_000, false);
            await("all are delivered", () -> {
                for (int i = 0; i < members.size(); i++) {
                    for (ConsumerRecord<String, String> record : members.get(i).poll(A_MOMENT)) {
                        seen.merge(record.value(), 1, Integer::sum);
                        busy.add(i);
                    }
                }
                return seen.size() == 1_000;
            });
            members.forEach(KafkaShareConsumer::commitSync);
            assertThat(seen.values()).containsOnly(1);
            assertThat(busy).as("members that got some").hasSizeGreaterThan(1);
            ShareGroupDescription described =
                    admin.describeShareGroups(List.of(group)).all().get().get(group);
            assertThat(described.members()).hasSize(3);
            assertThat(described.groupState()).isEqualTo(GroupState.STABLE);
            assertThat(admin.listGroups(ListGroupsOptions.forShareGroups()).all().get().stream()
                            .filter(each -> each.groupId().equals(group))
                            .map(GroupListing::type))
                    .containsExactly(Optional.of(GroupType.SHARE));
        } finally {
            members.forEach(KafkaShareConsumer::close);
        }
        await("what was acknowledged is done with", () -> offset(group, topic).startOffset() == 1_000);
        assertThat(offset(group, topic).lag()).contains(0L);
    }

    @Test
    void whatIsReleasedComesAgainAndWhatIsRejectedDoesNot() throws Exception {
        String topic = topic("judged", 1);
        String group = group("judging", "earliest");
        produce(topic, 0, 9, false);
        try (KafkaShareConsumer<String, String> member =
                member(group, topic, Map.of("share.acknowledgement.mode", "explicit"))) {
            Map<Long, Integer> deliveries = new HashMap<>();
            Map<TopicIdPartition, Optional<KafkaException>> outcomes = new HashMap<>();
            await("each is decided", () -> {
                for (ConsumerRecord<String, String> record : member.poll(A_MOMENT)) {
                    int delivery = record.deliveryCount().orElseThrow();
                    deliveries.merge(record.offset(), delivery, Math::max);
                    AcknowledgeType type = delivery == 2
                            ? AcknowledgeType.ACCEPT
                            : List.of(AcknowledgeType.ACCEPT, AcknowledgeType.RELEASE, AcknowledgeType.REJECT)
                                    .get((int) (record.offset() % 3));
                    member.acknowledge(record, type);
                }
                outcomes.putAll(member.commitSync());
                return offset(group, topic).startOffset() == 9;
            });
            assertThat(outcomes.values()).containsOnly(Optional.empty());
            assertThat(deliveries)
                    .isEqualTo(IntStream.range(0, 9)
                            .boxed()
                            .collect(Collectors.toMap(Integer::longValue, offset -> offset % 3 == 1 ? 2 : 1)));
        }
    }

    @Test
    void aMemberThatDiesOrSaysNothingLosesItsRecordsToOthers() throws Exception {
        String topic = topic("mortal", 1);
        String group = group("mortals", "earliest");
        produce(topic, 0, 100, false);
        Map<String, Integer> counts = new HashMap<>();
        try (KafkaShareConsumer<String, String> silent = member(group, topic, Map.of());
                KafkaShareConsumer<String, String> other = member(group, topic, Map.of())) {
            Set<String> held = new HashSet<>();
            await("one has records", () -> {
                silent.poll(A_MOMENT).forEach(record -> held.add(record.value()));
                return !held.isEmpty();
            });
            await("the other gets these too", () -> {
                other.poll(A_MOMENT)
                        .forEach(record -> counts.merge(
                                record.value(), (int) record.deliveryCount().orElseThrow(), Math::max));
                return counts.size() == 100;
            });
            held.forEach(value -> assertThat(counts.get(value)).as(value).isEqualTo(2));
        }
    }

    @Test
    void aRecordThatIsDeliveredTooOftenIsGivenUp() throws Exception {
        String topic = topic("poison", 1);
        String group = group("poisoned", "earliest");
        configure(group, "share.delivery.count.limit", "3");
        produce(topic, 0, 1, false);
        List<Short> deliveries = new ArrayList<>();
        try (KafkaShareConsumer<String, String> member =
                member(group, topic, Map.of("share.acknowledgement.mode", "explicit"))) {
            await("it is archived", () -> {
                for (ConsumerRecord<String, String> record : member.poll(A_MOMENT)) {
                    deliveries.add(record.deliveryCount().orElseThrow());
                    member.acknowledge(record, AcknowledgeType.RELEASE);
                }
                member.commitSync();
                return offset(group, topic).startOffset() == 1;
            });
        }
        assertThat(deliveries).containsExactly((short) 1, (short) 2, (short) 3);
    }

    @Test
    void aRenewedLockHolds() throws Exception {
        String topic = topic("slow", 1);
        String group = group("slowly", "earliest");
        produce(topic, 0, 1, false);
        try (KafkaShareConsumer<String, String> slow =
                        member(group, topic, Map.of("share.acknowledgement.mode", "explicit"));
                KafkaShareConsumer<String, String> eager = member(group, topic, Map.of())) {
            List<ConsumerRecord<String, String>> held = new ArrayList<>();
            await("one has the record", () -> {
                slow.poll(A_MOMENT).forEach(held::add);
                return !held.isEmpty();
            });
            long until = System.nanoTime() + Duration.ofMillis(3 * LOCK_MS).toNanos();
            while (System.nanoTime() < until) {
                slow.acknowledge(held.get(0), AcknowledgeType.RENEW);
                slow.commitSync();
                slow.poll(A_MOMENT);
                assertThat(eager.poll(A_MOMENT)).isEmpty();
            }
            slow.acknowledge(held.get(0), AcknowledgeType.ACCEPT);
            assertThat(slow.commitSync().values()).containsOnly(Optional.empty());
            await("it is done with", () -> offset(group, topic).startOffset() == 1);
        }
    }

    @Test
    void aGroupThatReadsCommittedSeesNoAbortedRecord() throws Exception {
        String topic = topic("transactions", 1);
        String all = group("reads-all", "earliest");
        String committed = group("reads-committed", "earliest");
        configure(committed, "share.isolation.level", "read_committed");
        produce(topic, 0, 10, true);
        abort(topic, 10, 20);
        produce(topic, 20, 30, true);
        try (KafkaShareConsumer<String, String> one = member(all, topic, Map.of());
                KafkaShareConsumer<String, String> two = member(committed, topic, Map.of())) {
            Set<String> heardByAll = new HashSet<>();
            Set<String> heard = new HashSet<>();
            await("both have theirs", () -> {
                one.poll(A_MOMENT).forEach(record -> heardByAll.add(record.value()));
                two.poll(A_MOMENT).forEach(record -> heard.add(record.value()));
                return heardByAll.size() == 30 && heard.size() >= 20;
            });
            two.commitSync();
            assertThat(heard)
                    .containsExactlyInAnyOrderElementsOf(IntStream.range(0, 30)
                            .filter(value -> value < 10 || value >= 20)
                            .mapToObj(Integer::toString)
                            .toList());
        }
        await(
                "markers and aborted records are passed over",
                () -> offset(committed, topic).startOffset() == 33);
    }

    @Test
    void aGroupBeginsAtTheEndUnlessItIsToldOtherwise() throws Exception {
        String topic = topic("late", 1);
        produce(topic, 0, 10, false);
        configure("by-time", "share.auto.offset.reset", "by_duration:PT1H");
        try (KafkaShareConsumer<String, String> byTime = member("by-time", topic, Map.of());
                KafkaShareConsumer<String, String> late = member("latecomers", topic, Map.of())) {
            Set<String> heard = new HashSet<>();
            await("an hour is read back", () -> {
                byTime.poll(A_MOMENT).forEach(record -> heard.add(record.value()));
                return heard.size() == 10;
            });
            await("the other has begun", () -> {
                assertThat(late.poll(A_MOMENT)).isEmpty();
                return offset("latecomers", topic).startOffset() == 10;
            });
            produce(topic, 10, 20, false);
            Set<String> heardLate = new HashSet<>();
            await("what came after", () -> {
                late.poll(A_MOMENT).forEach(record -> heardLate.add(record.value()));
                return heardLate.size() == 10;
            });
            assertThat(heardLate).contains("10", "19").doesNotContain("9");
        }
    }

    @Test
    void offsetsOfAGroupWithoutMembersAreAlteredAndDeleted() throws Exception {
        String topic = topic("again", 1);
        String group = group("repeating", "earliest");
        produce(topic, 0, 10, false);
        consume(group, topic, 10);
        await(
                "nobody is there",
                () -> admin.describeShareGroups(List.of(group))
                                .all()
                                .get()
                                .get(group)
                                .groupState()
                        == GroupState.EMPTY);
        TopicPartition none = new TopicPartition(topic, 7);
        assertThatThrownBy(() -> admin.alterShareGroupOffsets(group, Map.of(none, 4L))
                        .partitionResult(none)
                        .get())
                .hasCauseInstanceOf(UnknownTopicOrPartitionException.class);
        admin.alterShareGroupOffsets(group, Map.of(new TopicPartition(topic, 0), 4L))
                .all()
                .get();
        assertThat(offset(group, topic).startOffset()).isEqualTo(4);
        consume(group, topic, 6);
        admin.deleteShareGroupOffsets(group, Set.of(topic)).all().get();
        assertThat(has(group, topic)).isFalse();
        admin.deleteShareGroups(List.of(group)).all().get();
        assertThat(admin.listGroups(ListGroupsOptions.forShareGroups()).all().get().stream()
                        .map(GroupListing::groupId))
                .doesNotContain(group);
    }

    @Test
    void deletedRecordsArePassedOver() throws Exception {
        String topic = topic("cut", 1);
        String group = group("cutters", "earliest");
        produce(topic, 0, 10, false);
        consume(group, topic, 10);
        produce(topic, 10, 30, false);
        admin.deleteRecords(Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(20)))
                .all()
                .get();
        assertThat(consume(group, topic, 10)).contains("20", "29").doesNotContain("19");
    }

    @Test
    void aRestartForgetsNothingThatWasAcknowledged() throws Exception {
        String topic = topic("durable", 1);
        String group = group("durably", "earliest");
        produce(topic, 0, 50, false);
        try (KafkaShareConsumer<String, String> member =
                member(group, topic, Map.of("share.acknowledgement.mode", "explicit", "max.poll.records", "50"))) {
            Set<Long> seen = new HashSet<>();
            await("every second one is acknowledged", () -> {
                for (ConsumerRecord<String, String> record : member.poll(A_MOMENT)) {
                    seen.add(record.offset());
                    member.acknowledge(
                            record, record.offset() % 2 == 0 ? AcknowledgeType.ACCEPT : AcknowledgeType.RELEASE);
                }
                member.commitSync();
                return seen.size() == 50;
            });
        }
        node.restart();
        Set<String> again = consume(group, topic, 25);
        assertThat(again).allMatch(value -> Integer.parseInt(value) % 2 == 1);
        await("all are done with", () -> offset(group, topic).startOffset() == 50);
    }

    // ---- means

    /** What comes until there are so many different ones. */
    private Set<String> consume(String group, String topic, int count) throws Exception {
        Set<String> heard = new HashSet<>();
        try (KafkaShareConsumer<String, String> member = member(group, topic, Map.of())) {
            await(count + " are read", () -> {
                member.poll(A_MOMENT).forEach(record -> heard.add(record.value()));
                return heard.size() >= count;
            });
            // A close gives back what the last poll brought
            member.commitSync();
        }
        return heard;
    }

    private KafkaShareConsumer<String, String> member(String group, String topic, Map<String, String> settings) {
        Map<String, Object> config = new HashMap<>(settings);
        config.put("bootstrap.servers", node.bootstrap());
        config.put("group.id", group);
        KafkaShareConsumer<String, String> member =
                new KafkaShareConsumer<>(config, new StringDeserializer(), new StringDeserializer());
        member.subscribe(List.of(topic));
        return member;
    }

    private String topic(String name, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1)))
                .all()
                .get();
        return name;
    }

    private String group(String name, String beginning) throws Exception {
        configure(name, "share.auto.offset.reset", beginning);
        return name;
    }

    private void configure(String group, String key, String value) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
        admin.incrementalAlterConfigs(Map.of(
                        resource, List.of(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET))))
                .all()
                .get();
    }

    private boolean has(String group, String topic) throws Exception {
        return admin
                .listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec()))
                .partitionsToOffsetInfo(group)
                .get()
                .keySet()
                .stream()
                .anyMatch(partition -> partition.topic().equals(topic));
    }

    private SharePartitionOffsetInfo offset(String group, String topic) throws Exception {
        SharePartitionOffsetInfo found = admin.listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec()))
                .partitionsToOffsetInfo(group)
                .get()
                .get(new TopicPartition(topic, 0));
        return found == null ? new SharePartitionOffsetInfo(-1, Optional.empty(), Optional.empty()) : found;
    }

    private void produce(String topic, int from, int to, boolean inTransaction) throws Exception {
        try (KafkaProducer<String, String> producer = producer(inTransaction)) {
            if (inTransaction) {
                producer.initTransactions();
                producer.beginTransaction();
            }
            send(producer, topic, from, to);
            if (inTransaction) {
                producer.commitTransaction();
            }
        }
    }

    private void abort(String topic, int from, int to) throws Exception {
        try (KafkaProducer<String, String> producer = producer(true)) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, topic, from, to);
            producer.abortTransaction();
        }
    }

    private static void send(KafkaProducer<String, String> producer, String topic, int from, int to) throws Exception {
        List<Future<?>> sent = new ArrayList<>();
        for (int value = from; value < to; value++) {
            sent.add(producer.send(new ProducerRecord<>(topic, Integer.toString(value))));
        }
        producer.flush();
        for (Future<?> each : sent) {
            each.get();
        }
    }

    private KafkaProducer<String, String> producer(boolean inTransaction) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", node.bootstrap(), "batch.size", 2_000));
        if (inTransaction) {
            config.put("transactional.id", "of-share-groups");
        }
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not in " + DEADLINE + ": " + what);
            }
            Thread.sleep(20);
        }
    }
}
