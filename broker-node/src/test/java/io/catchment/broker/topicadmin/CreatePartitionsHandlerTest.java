package io.catchment.broker.topicadmin;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsAssignment;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.CreatePartitionsRequest;
import org.apache.kafka.common.requests.CreatePartitionsResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class CreatePartitionsHandlerTest {
    private final FakeControlPlane controlPlane =
            new FakeControlPlane().withNode(1, "PLAINTEXT").withNode(2, "PLAINTEXT");
    private final CreatePartitionsHandler handler = new CreatePartitionsHandler(controlPlane, TestTopics.noQuotas());

    CreatePartitionsHandlerTest() {
        controlPlane.applyNow(
                new Command.CreateTopics(List.of(new Command.CreateTopic("grows", 3, (short) 1, Map.of())), false));
    }

    static List<Short> versions() {
        return ApiKeys.CREATE_PARTITIONS.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aTopicGrowsAtEachVersion(short version) {
        CreatePartitionsTopicResult result =
                grow(version, false, topic("grows", 5, null)).get(0);

        assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.NONE);
        assertThat(partitions()).isEqualTo(5);
    }

    @ParameterizedTest
    @CsvSource({
        "grows, 3, INVALID_PARTITIONS, 'Topic already has 3 partition(s).'",
        "grows, 2, INVALID_PARTITIONS,"
                + " 'The topic grows currently has 3 partition(s); 2 would not be an increase.'",
        "unknown, 4, UNKNOWN_TOPIC_OR_PARTITION,",
    })
    void refusesWhatKafkaRefuses(String name, int count, Errors expected, @Nullable String message) {
        CreatePartitionsTopicResult result =
                grow((short) 3, false, topic(name, count, null)).get(0);

        assertThat(Errors.forCode(result.errorCode())).isEqualTo(expected);
        assertThat(result.errorMessage()).isEqualTo(message);
        assertThat(partitions()).isEqualTo(3);
    }

    @Test
    void validateOnlyChangesNothing() {
        assertThat(grow((short) 3, true, topic("grows", 9, null)).get(0).errorCode())
                .isEqualTo(Errors.NONE.code());
        assertThat(partitions()).isEqualTo(3);
    }

    @Test
    void ownersOfAddedPartitionsCanBeChosen() {
        assertThat(grow((short) 3, false, topic("grows", 5, List.of(List.of(2), List.of(2))))
                        .get(0)
                        .errorCode())
                .isEqualTo(Errors.NONE.code());

        List<Long> streams = controlPlane.image().topic("grows").orElseThrow().streams();
        assertThat(controlPlane.image().stream(streams.get(3)).orElseThrow().ownerNodeId())
                .isEqualTo(2);
        assertThat(controlPlane.image().stream(streams.get(4)).orElseThrow().ownerNodeId())
                .isEqualTo(2);
    }

    @Test
    void theNumberOfAssignmentsMustFitAndTheirBrokersExist() {
        CreatePartitionsTopicResult tooFew =
                grow((short) 3, false, topic("grows", 5, List.of(List.of(1)))).get(0);
        assertThat(Errors.forCode(tooFew.errorCode())).isEqualTo(Errors.INVALID_REPLICA_ASSIGNMENT);
        CreatePartitionsTopicResult unknown =
                grow((short) 3, false, topic("grows", 4, List.of(List.of(7)))).get(0);
        assertThat(Errors.forCode(unknown.errorCode())).isEqualTo(Errors.INVALID_REPLICA_ASSIGNMENT);
        assertThat(partitions()).isEqualTo(3);
    }

    private int partitions() {
        return controlPlane.image().topic("grows").orElseThrow().streams().size();
    }

    private static CreatePartitionsTopic topic(String name, int count, @Nullable List<List<Integer>> assignments) {
        return new CreatePartitionsTopic()
                .setName(name)
                .setCount(count)
                .setAssignments(
                        assignments == null
                                ? null
                                : assignments.stream()
                                        .map(ids -> new CreatePartitionsAssignment().setBrokerIds(ids))
                                        .toList());
    }

    private List<CreatePartitionsTopicResult> grow(
            short version, boolean validateOnly, CreatePartitionsTopic... topics) {
        CreatePartitionsRequestData data =
                new CreatePartitionsRequestData().setTimeoutMs(10_000).setValidateOnly(validateOnly);
        for (CreatePartitionsTopic topic : topics) {
            data.topics().add(topic);
        }
        CreatePartitionsResponse response = (CreatePartitionsResponse)
                FakeRequest.call(handler, new CreatePartitionsRequest.Builder(data).build(version));
        return response.data().results();
    }
}
