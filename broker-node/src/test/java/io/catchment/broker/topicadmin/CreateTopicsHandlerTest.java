package io.catchment.broker.topicadmin;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.StreamState;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicConfigs;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.CreateTopicsRequest;
import org.apache.kafka.common.requests.CreateTopicsResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class CreateTopicsHandlerTest {
    private final FakeControlPlane controlPlane =
            new FakeControlPlane().withNode(1, "PLAINTEXT").withNode(2, "PLAINTEXT");
    private final CreateTopicsHandler handler = new CreateTopicsHandler(
            controlPlane,
            new TopicSchema(Map.of("log.retention.hours", "1")),
            TestTopics.config(),
            TestTopics.noQuotas());

    static List<Short> versions() {
        return ApiKeys.CREATE_TOPICS.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void createsATopicAtEachVersion(short version) {
        CreatableTopicResult result =
                create(version, false, topic("orders", 3, 2)).get(0);

        assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.NONE);
        assertThat(controlPlane.image().topic("orders").orElseThrow().streams()).hasSize(3);
        if (version >= 5) {
            assertThat(result.numPartitions()).isEqualTo(3);
            assertThat(result.replicationFactor()).isEqualTo((short) 2);
            Map<String, CreatableTopicConfigs> configs =
                    result.configs().stream().collect(Collectors.toMap(CreatableTopicConfigs::name, config -> config));
            assertThat(configs).hasEntrySatisfying("retention.ms", config -> {
                assertThat(config.value()).isEqualTo("3600000");
                assertThat(config.configSource()).isEqualTo((byte) 4); // static broker config
            });
            assertThat(configs).containsKey("catchment.priority");
        }
        if (version >= 7) {
            assertThat(result.topicId())
                    .isEqualTo(
                            controlPlane.image().topic("orders").orElseThrow().topicId());
        }
    }

    @Test
    void theAnswerComesWhenTheNewPartitionsAreOpen() {
        controlPlane.ownersHesitate();
        FakeRequest request = sent(10_000, topic("new", 2, 1));
        FakeRequest.settle();
        assertThat(request.isAnswered()).isFalse();
        controlPlane.moveStream("new", 0, 1);
        FakeRequest.settle();
        assertThat(request.isAnswered()).isFalse();
        controlPlane.moveStream("new", 1, 2);

        CreateTopicsResponse answer = (CreateTopicsResponse) request.answer();
        assertThat(answer.errorCounts()).containsOnlyKeys(Errors.NONE);
    }

    @Test
    void anAnswerDoesNotWaitForOwnersThatAreAway() {
        controlPlane.ownersHesitate();
        controlPlane.fenceNode(1, true);
        controlPlane.fenceNode(2, true);
        FakeRequest request = sent(10_000, topic("new", 2, 1));
        FakeRequest.settle();
        FakeRequest.settle();
        assertThat(request.isAnswered()).isTrue();
    }

    @Test
    void anAnswerDoesNotWaitLongerThanItsTimeout() {
        controlPlane.ownersHesitate();
        CreateTopicsResponse answer =
                (CreateTopicsResponse) sent(20, topic("new", 2, 1)).answer();
        assertThat(answer.errorCounts()).containsOnlyKeys(Errors.NONE);
    }

    @Test
    void defaultsStandForMissingNumbers() {
        CreatableTopicResult result = create(topic("defaults", -1, -1));

        assertThat(result.numPartitions()).isEqualTo(4);
        assertThat(result.replicationFactor()).isEqualTo((short) 3);
    }

    @ParameterizedTest
    @CsvSource({
        "bad name, 1, 1, INVALID_TOPIC_EXCEPTION",
        ".., 1, 1, INVALID_TOPIC_EXCEPTION",
        "'', 1, 1, INVALID_TOPIC_EXCEPTION",
        "present, 1, 1, TOPIC_ALREADY_EXISTS",
        "dotted_name, 1, 1, INVALID_TOPIC_EXCEPTION",
        "__cluster_metadata, 1, 1, INVALID_REQUEST",
        "a, 0, 1, INVALID_PARTITIONS",
        "a, -2, 1, INVALID_PARTITIONS",
        "a, 1, 0, INVALID_REPLICATION_FACTOR",
        "a, 1, -2, INVALID_REPLICATION_FACTOR",
        "a, 10001, 1, POLICY_VIOLATION",
    })
    void refusesWhatKafkaRefuses(String name, int partitions, short replicationFactor, Errors expected) {
        create(topic("present", 1, 1));
        create(topic("dotted.name", 1, 1));

        CreatableTopicResult result = create(topic(name, partitions, replicationFactor));

        assertThat(Errors.forCode(result.errorCode())).isEqualTo(expected);
        assertThat(controlPlane.image().topic("a")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "no.such.key, 1",
        "retention.ms, x",
        "cleanup.policy, shred",
        "catchment.priority, high",
        "remote.storage.enable, true",
        "min.insync.replicas, 0",
    })
    void refusesInvalidConfigs(String key, String value) {
        CreatableTopicResult result = create(withConfig(topic("configured", 1, 1), key, value));

        assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.INVALID_CONFIG);
        assertThat(controlPlane.image().topic("configured")).isEmpty();
    }

    @Test
    void refusesANullConfigValue() {
        CreatableTopicResult withNull = create(withConfig(topic("c", 1, 1), "retention.ms", null));
        assertThat(Errors.forCode(withNull.errorCode())).isEqualTo(Errors.INVALID_CONFIG);
        assertThat(withNull.errorMessage()).isEqualTo("Null value not supported for topic configs: retention.ms");
    }

    @Test
    void configsAreStoredAndEchoed() {
        CreatableTopicResult result = create(withConfig(topic("urgent", 1, 1), "catchment.priority", "urgent"));

        assertThat(controlPlane.image().configs((byte) 2, "urgent")).containsEntry("catchment.priority", "urgent");
        assertThat(result.configs()).anySatisfy(config -> {
            assertThat(config.name()).isEqualTo("catchment.priority");
            assertThat(config.value()).isEqualTo("urgent");
            assertThat(config.configSource()).isEqualTo((byte) 1); // topic config
        });
    }

    @Test
    void validateOnlyCreatesNothing() {
        List<CreatableTopicResult> results = create((short) 7, true, topic("maybe", 2, 1), topic("bad name", 1, 1));

        assertThat(Errors.forCode(results.get(0).errorCode())).isEqualTo(Errors.NONE);
        assertThat(Errors.forCode(results.get(1).errorCode())).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
        assertThat(controlPlane.image().topics()).isEmpty();
    }

    @Test
    void aTopicNamedTwiceIsAnsweredOnceAndNotCreated() {
        List<CreatableTopicResult> results =
                create((short) 7, false, topic("twice", 1, 1), topic("once", 1, 1), topic("twice", 2, 1));

        assertThat(results).hasSize(2);
        assertThat(results.get(0).name()).isEqualTo("once");
        assertThat(Errors.forCode(results.get(0).errorCode())).isEqualTo(Errors.NONE);
        assertThat(results.get(1).name()).isEqualTo("twice");
        assertThat(Errors.forCode(results.get(1).errorCode())).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(results.get(1).errorMessage()).isEqualTo("Duplicate topic name.");
        assertThat(controlPlane.image().topic("twice")).isEmpty();
    }

    @Test
    void theFirstLivingBrokerOfAManualAssignmentIsTheOwner() {
        controlPlane.fenceNode(1, true);
        CreatableTopicResult result = create(assigned("manual", List.of(1, 2), List.of(2, 1)));

        assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.NONE);
        assertThat(owners("manual")).containsExactly(2, 2);
        controlPlane.fenceNode(1, false);
        create(assigned("manual-too", List.of(1, 2), List.of(2, 1)));
        assertThat(owners("manual-too")).containsExactly(1, 2);
    }

    @Test
    void manualAssignmentsAreCheckedAsInKafka() {
        assertRefused(assigned("m", List.of()), Errors.INVALID_REPLICA_ASSIGNMENT);
        assertRefused(assigned("m", List.of(9)), Errors.INVALID_REPLICA_ASSIGNMENT);
        assertRefused(assigned("m", List.of(1, 1)), Errors.INVALID_REPLICA_ASSIGNMENT);
        assertRefused(assigned("m", List.of(1), List.of(1, 2)), Errors.INVALID_REPLICA_ASSIGNMENT);
        assertRefused(assigned("m", List.of(1)).setNumPartitions(1), Errors.INVALID_REQUEST);
        assertRefused(assigned("m", List.of(1)).setReplicationFactor((short) 1), Errors.INVALID_REQUEST);
        CreatableTopic gap = assigned("m", List.of(1), List.of(1));
        gap.assignments().remove(gap.assignments().find(1));
        gap.assignments()
                .add(new CreatableReplicaAssignment().setPartitionIndex(2).setBrokerIds(List.of(1)));
        assertRefused(gap, Errors.INVALID_REPLICA_ASSIGNMENT);
    }

    @ParameterizedTest
    @CsvSource({"UNAVAILABLE", "UNCERTAIN"})
    void aControllerOutOfReachIsATimeoutForAllThatWasAsked(Reason reason) {
        controlPlane.failNext(reason);
        List<CreatableTopicResult> results = create((short) 7, false, topic("a", 1, 1), topic("b c", 1, 1));

        assertThat(Errors.forCode(results.get(0).errorCode())).isEqualTo(Errors.REQUEST_TIMED_OUT);
        assertThat(Errors.forCode(results.get(1).errorCode())).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
    }

    @Test
    void noAnswerWithinTheTimeoutOfTheRequestIsATimeout() {
        controlPlane.pause();
        CreateTopicsRequestData data = data(false, topic("late", 1, 1)).setTimeoutMs(20);
        CreateTopicsResponse response = (CreateTopicsResponse)
                FakeRequest.call(handler, new CreateTopicsRequest.Builder(data).build((short) 7));

        assertThat(response.errorCounts()).containsOnlyKeys(Errors.REQUEST_TIMED_OUT);
    }

    @Test
    void aThousandPartitionsAreOneCommand() {
        create(topic("wide", 1000, 1));

        assertThat(controlPlane.submitted().stream().filter(Command.CreateTopics.class::isInstance))
                .hasSize(1);
        assertThat(controlPlane.image().topic("wide").orElseThrow().streams()).hasSize(1000);
    }

    private List<Integer> owners(String topic) {
        return controlPlane.image().topic(topic).orElseThrow().streams().stream()
                .map(stream -> controlPlane.image().stream(stream).orElseThrow())
                .map(StreamState::ownerNodeId)
                .toList();
    }

    private void assertRefused(CreatableTopic topic, Errors expected) {
        assertThat(Errors.forCode(create(topic).errorCode())).isEqualTo(expected);
        assertThat(controlPlane.image().topic(topic.name())).isEmpty();
    }

    private FakeRequest sent(int timeoutMs, CreatableTopic topic) {
        CreateTopicsRequest request =
                new CreateTopicsRequest.Builder(data(false, topic).setTimeoutMs(timeoutMs)).build((short) 7);
        return FakeRequest.sent(handler, request, "PLAINTEXT");
    }

    private CreatableTopicResult create(CreatableTopic topic) {
        return create((short) 7, false, topic).get(0);
    }

    private List<CreatableTopicResult> create(short version, boolean validateOnly, CreatableTopic... topics) {
        CreateTopicsRequest request = new CreateTopicsRequest.Builder(data(validateOnly, topics)).build(version);
        CreateTopicsResponse response = (CreateTopicsResponse) FakeRequest.call(handler, request);
        assertThat(response.data().topics()).allSatisfy(result -> {
            if (result.errorCode() != 0) {
                assertThat(result.topicId()).isEqualTo(Uuid.ZERO_UUID);
            }
        });
        return List.copyOf(response.data().topics());
    }

    private static CreateTopicsRequestData data(boolean validateOnly, CreatableTopic... topics) {
        CreateTopicsRequestData data =
                new CreateTopicsRequestData().setTimeoutMs(10_000).setValidateOnly(validateOnly);
        for (CreatableTopic topic : topics) {
            data.topics().add(topic);
        }
        return data;
    }

    private static CreatableTopic topic(String name, int partitions, int replicationFactor) {
        return new CreatableTopic().setName(name).setNumPartitions(partitions).setReplicationFactor((short)
                replicationFactor);
    }

    private static CreatableTopic withConfig(CreatableTopic topic, String key, @Nullable String value) {
        topic.configs().add(new CreatableTopicConfig().setName(key).setValue(value));
        return topic;
    }

    @SafeVarargs
    private static CreatableTopic assigned(String name, List<Integer>... replicas) {
        CreatableTopic topic = topic(name, -1, -1);
        for (int partition = 0; partition < replicas.length; partition++) {
            topic.assignments()
                    .add(new CreatableReplicaAssignment()
                            .setPartitionIndex(partition)
                            .setBrokerIds(replicas[partition]));
        }
        return topic;
    }
}
