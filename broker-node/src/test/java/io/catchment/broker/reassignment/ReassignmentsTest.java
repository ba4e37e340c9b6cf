package io.catchment.broker.reassignment;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignablePartitionResponse;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData.ListPartitionReassignmentsTopics;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData.OngoingPartitionReassignment;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AlterPartitionReassignmentsRequest;
import org.apache.kafka.common.requests.AlterPartitionReassignmentsResponse;
import org.apache.kafka.common.requests.ListPartitionReassignmentsRequest;
import org.apache.kafka.common.requests.ListPartitionReassignmentsResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReassignmentsTest {
    private static final short NEWEST = ApiKeys.ALTER_PARTITION_REASSIGNMENTS.latestVersion();

    private final FakeControlPlane controlPlane = new FakeControlPlane()
            .withNode(1, "PLAINTEXT")
            .withNode(2, "PLAINTEXT")
            .withNode(3, "PLAINTEXT");
    private final AlterPartitionReassignmentsHandler alter = new AlterPartitionReassignmentsHandler(controlPlane);
    private final ListPartitionReassignmentsHandler list = new ListPartitionReassignmentsHandler(controlPlane);

    ReassignmentsTest() {
        controlPlane.applyNow(new Command.CreateTopics(
                List.of(new Command.CreateTopic("t", 2, (short) 1, Map.of(), List.of(1, 1))), false));
    }

    static List<Short> versions() {
        return ApiKeys.ALTER_PARTITION_REASSIGNMENTS.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aPartitionMovesAndIsListedUntilItHas(short version) {
        assertThat(errors(alter(version, true, partition(0, List.of(2))))).containsExactly(Errors.NONE);
        assertThat(controlPlane.stream("t", 0).pinned()).isTrue();

        List<OngoingPartitionReassignment> ongoing = ongoing(null);
        assertThat(ongoing).hasSize(1);
        assertThat(ongoing.get(0).partitionIndex()).isZero();
        assertThat(ongoing.get(0).replicas()).containsExactly(2, 1);
        assertThat(ongoing.get(0).addingReplicas()).containsExactly(2);
        assertThat(ongoing.get(0).removingReplicas()).containsExactly(1);

        controlPlane.handOver("t", 0);
        assertThat(ongoing(null)).isEmpty();
        assertThat(controlPlane.stream("t", 0).ownerNodeId()).isEqualTo(2);
    }

    @Test
    void theFirstBrokerOfTheListThatLivesBecomesTheOwner() {
        controlPlane.fenceNode(2, true);
        assertThat(errors(alter(NEWEST, true, partition(0, List.of(2, 3, 1))))).containsExactly(Errors.NONE);
        assertThat(controlPlane.stream("t", 0).targetNodeId()).isEqualTo(3);
    }

    @Test
    void aMoveThatIsNotDoneYetCanBeTakenBack() {
        alter(NEWEST, true, partition(1, List.of(2)));
        assertThat(errors(alter(NEWEST, true, partition(1, null)))).containsExactly(Errors.NONE);
        assertThat(ongoing(null)).isEmpty();
        assertThat(controlPlane.stream("t", 1).ownerNodeId()).isEqualTo(1);
        assertThat(errors(alter(NEWEST, true, partition(1, null)))).containsExactly(Errors.NO_REASSIGNMENT_IN_PROGRESS);
    }

    @Test
    void whereAPartitionIsAlreadyItStays() {
        assertThat(errors(alter(NEWEST, true, partition(0, List.of(1))))).containsExactly(Errors.NONE);
        assertThat(ongoing(null)).isEmpty();
        assertThat(controlPlane.stream("t", 0).pinned()).isTrue();
    }

    @Test
    void eachPartitionIsRefusedByItself() {
        List<ReassignablePartitionResponse> answers = alter(
                NEWEST,
                true,
                partition(0, List.of(2)),
                partition(7, List.of(2)),
                partition(1, List.of()),
                partition(1, List.of(9)),
                partition(1, List.of(2, 2)));
        assertThat(errors(answers))
                .containsExactly(
                        Errors.NONE,
                        Errors.UNKNOWN_TOPIC_OR_PARTITION,
                        Errors.INVALID_REPLICA_ASSIGNMENT,
                        Errors.INVALID_REPLICA_ASSIGNMENT,
                        Errors.INVALID_REPLICA_ASSIGNMENT);
        assertThat(answers.get(1).errorMessage()).isEqualTo("Unable to find partition t:7.");
        assertThat(answers.get(3).errorMessage())
                .isEqualTo("The manual partition assignment includes broker 9, but no such broker is registered.");
        assertThat(ongoing(null)).hasSize(1);
    }

    @Test
    void theNumberOfReplicasMustStayIfTheClientSaysSo() {
        List<ReassignablePartitionResponse> answers = alter((short) 1, false, partition(0, List.of(2, 3)));
        assertThat(errors(answers)).containsExactly(Errors.INVALID_REPLICATION_FACTOR);
        assertThat(answers.get(0).errorMessage()).isEqualTo("The replication factor is changed from 1 to 2");
        assertThat(errors(alter((short) 1, false, partition(0, List.of(2))))).containsExactly(Errors.NONE);
    }

    @Test
    void awayControllersAreARetriableError() {
        controlPlane.failNext(Reason.UNAVAILABLE);
        assertThat(errors(alter(NEWEST, true, partition(0, List.of(2))))).containsExactly(Errors.REQUEST_TIMED_OUT);
    }

    @Test
    void onlyThePartitionsAskedForAreListed() {
        alter(NEWEST, true, partition(0, List.of(2)), partition(1, List.of(3)));
        assertThat(ongoing(null)).hasSize(2);
        assertThat(ongoing(List.of(1))).hasSize(1).allMatch(found -> found.partitionIndex() == 1);
        assertThat(ongoing(List.of(7))).isEmpty();
    }

    private static ReassignablePartition partition(int index, @Nullable List<Integer> replicas) {
        return new ReassignablePartition().setPartitionIndex(index).setReplicas(replicas);
    }

    private List<ReassignablePartitionResponse> alter(
            short version, boolean allowFactorChange, ReassignablePartition... partitions) {
        AlterPartitionReassignmentsRequestData data = new AlterPartitionReassignmentsRequestData()
                .setTopics(List.of(new ReassignableTopic().setName("t").setPartitions(List.of(partitions))))
                .setTimeoutMs(10_000);
        if (version >= 1) {
            data.setAllowReplicationFactorChange(allowFactorChange);
        }
        AlterPartitionReassignmentsResponse response = (AlterPartitionReassignmentsResponse)
                FakeRequest.call(alter, new AlterPartitionReassignmentsRequest.Builder(data).build(version));
        assertThat(response.data().errorCode()).isZero();
        return response.data().responses().get(0).partitions();
    }

    private static List<Errors> errors(List<ReassignablePartitionResponse> answers) {
        return answers.stream()
                .map(answer -> Errors.forCode(answer.errorCode()))
                .toList();
    }

    private List<OngoingPartitionReassignment> ongoing(@Nullable List<Integer> partitions) {
        ListPartitionReassignmentsRequestData data = new ListPartitionReassignmentsRequestData()
                .setTopics(
                        partitions == null
                                ? null
                                : List.of(new ListPartitionReassignmentsTopics()
                                        .setName("t")
                                        .setPartitionIndexes(partitions)));
        ListPartitionReassignmentsResponseData answer = ((ListPartitionReassignmentsResponse)
                        FakeRequest.call(list, new ListPartitionReassignmentsRequest.Builder(data).build((short) 0)))
                .data();
        assertThat(answer.errorCode()).isZero();
        List<OngoingPartitionReassignment> found = new ArrayList<>();
        answer.topics().forEach(topic -> found.addAll(topic.partitions()));
        return found;
    }
}
