package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.CreateTopic;
import io.catchment.controlplane.Command.CreatedTopic;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.log.ReplicatedLog;
import io.catchment.controlplane.state.ClusterState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TopicRulesTest {
    private static final byte TOPIC = 2;

    private final Script script = Script.ofOneNode();
    private final long epoch = script.node(1).epoch();

    @Test
    void aTopicHasItsStreamsConfigsAndKafkasView() {
        CreatedTopic created = create(new CreateTopic("readings", 3, (short) 3, Map.of("retention.ms", "5")));

        assertThat(created.error()).isNull();
        assertThat(script.topic("readings").streams()).hasSize(3);
        assertThat(script.stream("readings", 2).epoch()).isZero();
        assertThat(script.image().configs(TOPIC, "readings")).containsExactly(Map.entry("retention.ms", "5"));
        assertThat(script.image().metadata().topics().getTopic("readings").partitions())
                .hasSize(3);
        assertThat(script.image().metadata().topics().getPartition(created.topicId(), 2).replicas)
                .containsExactly(1);
    }

    @Test
    void eachTopicOfARequestFailsOrSucceedsByItself() {
        script.createTopic("a", 1);
        List<CreatedTopic> results = script.done(new Command.CreateTopics(
                List.of(
                        new CreateTopic("a", 1, (short) 1, Map.of()),
                        new CreateTopic("bad name", 1, (short) 1, Map.of()),
                        new CreateTopic("zero", 0, (short) 1, Map.of()),
                        new CreateTopic("b", 1, (short) 1, Map.of()),
                        new CreateTopic("b", 1, (short) 1, Map.of())),
                false));

        assertThat(results.stream().map(TopicRulesTest::reason))
                .containsExactly(Reason.ALREADY_EXISTS, Reason.INVALID, Reason.INVALID, null, Reason.ALREADY_EXISTS);
        assertThat(script.state().topics()).containsOnlyKeys("a", "b");
    }

    @Test
    void namesThatDifferInDotsAndUnderscoresCollide() {
        script.createTopic("a.b_c", 1);
        assertThat(reason(create(new CreateTopic("a_b.c", 1, (short) 1, Map.of()))))
                .isEqualTo(Reason.INVALID);

        script.done(new Command.DeleteTopics(List.of(script.topic("a.b_c").topicId())));
        assertThat(create(new CreateTopic("a_b.c", 1, (short) 1, Map.of())).error())
                .isNull();
    }

    @Test
    void validateOnlyHasNoEffect() {
        ClusterState before = script.state();
        List<CreatedTopic> results =
                script.done(new Command.CreateTopics(List.of(new CreateTopic("t", 1, (short) 1, Map.of())), true));
        assertThat(results.get(0).error()).isNull();
        assertThat(script.state()).isSameAs(before);
    }

    @Test
    void theMostPartitionsOfOneRequestFitIntoOneBatch() {
        assertThat(reason(create(new CreateTopic("huge", TopicRules.PARTITIONS_MAX + 1, (short) 1, Map.of()))))
                .isEqualTo(Reason.INVALID);

        Decision<List<CreatedTopic>> decision = CommandRules.decide(
                new Command.CreateTopics(
                        List.of(new CreateTopic("big", TopicRules.PARTITIONS_MAX, (short) 1, Map.of())), false),
                script.state(),
                script.conditions());
        assertThat(bytes(((Decision.Accepted<List<CreatedTopic>>) decision))).isLessThan(ReplicatedLog.BATCH_BYTES_MAX);
        assertThat(((Decision.Accepted<List<CreatedTopic>>) decision).after().streams())
                .hasSize(TopicRules.PARTITIONS_MAX);
    }

    @Test
    void placementGivesStreamsToTheBrokerWithTheFewest() {
        script.createTopic("first", 3);
        script.register(2);
        script.createTopic("second", 5);
        assertThat(script.state().ownedBy(1)).isEqualTo(4);
        assertThat(script.state().ownedBy(2)).isEqualTo(4);
    }

    @Test
    void aManualAssignmentIsFollowedIfItNamesBrokers() {
        script.register(2);
        assertThat(create(new CreateTopic("t", 3, (short) 1, Map.of(), List.of(2, 2, 1)))
                        .error())
                .isNull();
        assertThat(script.stream("t", 1).ownerNodeId()).isEqualTo(2);
        assertThat(script.stream("t", 2).ownerNodeId()).isEqualTo(1);
        assertThat(reason(create(new CreateTopic("u", 1, (short) 1, Map.of(), List.of(9)))))
                .isEqualTo(Reason.INVALID);
        assertThat(reason(create(new CreateTopic("u", 2, (short) 1, Map.of(), List.of(1)))))
                .isEqualTo(Reason.INVALID);
        script.done(new Command.CreatePartitions("t", 4, List.of(2), false));
        assertThat(script.stream("t", 3).ownerNodeId()).isEqualTo(2);
        script.refused(Reason.INVALID, new Command.CreatePartitions("t", 6, List.of(2), false));
    }

    @Test
    void partitionsAreOnlyAdded() {
        script.createTopic("t", 2);
        script.refused(Reason.INVALID, new Command.CreatePartitions("t", 2, List.of(), false));
        script.refused(Reason.NOT_FOUND, new Command.CreatePartitions("none", 2, List.of(), false));
        script.doneWithoutEffect(new Command.CreatePartitions("t", 4, List.of(), true));
        script.done(new Command.CreatePartitions("t", 4, List.of(), false));
        assertThat(script.topic("t").streams()).hasSize(4).doesNotHaveDuplicates();
    }

    @Test
    void deletingATopicDropsItsReferencesAndDoomsObjectsAtZero() {
        Uuid gone = script.createTopic("gone", 1);
        script.createTopic("stays", 1);
        long streamGone = script.stream("gone", 0).streamId();
        long streamStays = script.stream("stays", 0).streamId();
        long shared = publish(List.of(Script.range(streamGone, 0, 5), Script.range(streamStays, 0, 5)));
        long own = publish(List.of(Script.range(streamGone, 5, 7)));
        assertThat(script.object(shared).references()).isEqualTo(2);

        script.pass(10);
        assertThat(script.done(new Command.DeleteTopics(List.of(gone))).get(0).error())
                .isNull();

        assertThat(script.object(shared).references()).isEqualTo(1);
        assertThat(script.object(shared).phase()).isEqualTo(ObjectState.Phase.PUBLISHED);
        assertThat(script.object(own).phase()).isEqualTo(ObjectState.Phase.DOOMED);
        assertThat(script.object(own).sinceMs()).isEqualTo(script.conditions().nowMs());
        assertThat(script.state().streams()).containsOnlyKeys(streamStays);
        Command.ItemResult again =
                script.done(new Command.DeleteTopics(List.of(gone))).get(0);
        assertThat(again.name()).isEqualTo(gone.toString());
        assertThat(again.error()).isNotNull();
    }

    @Test
    void aTopicCreatedAnewHasNothingOfTheOldOne() {
        Uuid old = create(new CreateTopic("t", 1, (short) 1, Map.of("a", "b"))).topicId();
        script.done(new Command.DeleteTopics(List.of(old)));
        Uuid fresh = script.createTopic("t", 1);
        assertThat(fresh).isNotEqualTo(old);
        assertThat(script.image().configs(TOPIC, "t")).isEmpty();
        assertThat(script.image().metadata().configs().resourceData()).isEmpty();
    }

    @Test
    void configsAreSetRemovedAndLeftAlone() {
        script.createTopic("t", 1);
        Map<String, @Nullable String> changes = new HashMap<>();
        changes.put("a", "1");
        changes.put("b", null);
        script.done(new Command.AlterConfigs(TOPIC, "t", changes));
        assertThat(script.image().configs(TOPIC, "t")).containsExactly(Map.entry("a", "1"));
        script.doneWithoutEffect(new Command.AlterConfigs(TOPIC, "t", changes));

        changes.put("a", null);
        script.done(new Command.AlterConfigs(TOPIC, "t", changes));
        assertThat(script.image().configs(TOPIC, "t")).isEmpty();
        script.refused(Reason.NOT_FOUND, new Command.AlterConfigs(TOPIC, "none", changes));
        script.refused(Reason.INVALID, new Command.AlterConfigs((byte) 99, "none", changes));
        changes.put("x", "y");
        script.done(new Command.AlterConfigs((byte) 4, "1", changes));
        assertThat(script.image().configs((byte) 4, "1")).containsEntry("x", "y");
    }

    @Test
    void changesOfAConfigurationThatOthersAlteredMeanwhileAreRefused() {
        script.createTopic("t", 1);
        script.done(new Command.AlterConfigs(TOPIC, "t", Map.of("a", "1"), Map.of()));
        script.refused(Reason.NOT_YET, new Command.AlterConfigs(TOPIC, "t", Map.of("b", "2"), Map.of()));
        script.refused(Reason.NOT_YET, new Command.AlterConfigs(TOPIC, "t", Map.of("b", "2"), Map.of("a", "0")));
        script.done(new Command.AlterConfigs(TOPIC, "t", Map.of("b", "2"), Map.of("a", "1")));
        assertThat(Map.copyOf(script.image().configs(TOPIC, "t"))).isEqualTo(Map.of("a", "1", "b", "2"));
        script.done(new Command.AlterConfigs((byte) 4, "1", Map.of("x", "y"), Map.of()));
        script.refused(Reason.NOT_YET, new Command.AlterConfigs((byte) 4, "1", Map.of("x", "z"), Map.of()));
    }

    private long publish(List<Command.NewRange> ranges) {
        long object = script.preparedObject(epoch);
        script.done(
                new Command.PublishFlush(1, epoch, script.sealedExtent(epoch, 100), object, 1000, ranges, List.of()));
        return object;
    }

    private CreatedTopic create(CreateTopic topic) {
        return script.done(new Command.CreateTopics(List.of(topic), false)).get(0);
    }

    private static @Nullable Reason reason(CreatedTopic topic) {
        Command.ItemError error = topic.error();
        return error == null ? null : error.reason();
    }

    private static long bytes(Decision.Accepted<?> decision) {
        return decision.records().stream()
                .mapToLong(record -> LogRecordSerde.INSTANCE.recordSize(record, new ObjectSerializationCache()))
                .sum();
    }
}
