package io.catchment.broker.election;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ElectLeadersRequest;
import org.apache.kafka.common.requests.ElectLeadersResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ElectLeadersHandlerTest {
    private static final short NEWEST = ApiKeys.ELECT_LEADERS.latestVersion();
    private static final int PATIENT_MS = 10_000;

    private final FakeControlPlane controlPlane =
            new FakeControlPlane().withNode(1, "PLAINTEXT").withNode(2, "PLAINTEXT");
    private final ElectLeadersHandler handler = new ElectLeadersHandler(controlPlane);

    /** Of the topic's partitions both are preferred on node 1; a failure drove the first away to node 2. */
    ElectLeadersHandlerTest() {
        controlPlane.applyNow(new Command.CreateTopics(
                List.of(new Command.CreateTopic("t", 2, (short) 1, Map.of(), List.of(1, 1))), false));
        controlPlane.assignStream("t", 0, 2);
        controlPlane.applyNow(new Command.OpenStreams(
                2, 2, List.of(new Command.Claim(controlPlane.stream("t", 0).streamId(), 0))));
        prefer(1);
    }

    /** The fake takes the opener for the preferred owner. */
    private void prefer(int node) {
        long stream = controlPlane.stream("t", 0).streamId();
        controlPlane.applyNow(new Command.MoveStreams(List.of(new Command.Move(stream, node)), false));
        controlPlane.clearTarget("t", 0);
    }

    static List<Short> versions() {
        return ApiKeys.ELECT_LEADERS.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void theAnswerComesWhenThePreferredOwnerLeads(short version) {
        FakeRequest request = ask(version, ElectionType.PREFERRED, PATIENT_MS, new TopicPartition("t", 0));
        FakeRequest.settle();
        assertThat(request.isAnswered()).isFalse();
        assertThat(controlPlane.stream("t", 0).targetNodeId()).isEqualTo(1);

        controlPlane.handOver("t", 0);

        assertThat(results(request.answer())).containsExactly(Map.entry(new TopicPartition("t", 0), Errors.NONE));
        assertThat(controlPlane.stream("t", 0).ownerNodeId()).isEqualTo(1);
    }

    @Test
    void ofAllPartitionsOnlyThoseThatNeedItAreToldOf() {
        FakeRequest request = ask(NEWEST, ElectionType.PREFERRED, PATIENT_MS, (TopicPartition[]) null);
        FakeRequest.settle();
        controlPlane.handOver("t", 0);
        assertThat(results(request.answer())).containsExactly(Map.entry(new TopicPartition("t", 0), Errors.NONE));
    }

    @Test
    void whatNeedsNoElectionOrDoesNotExistIsSaid() {
        assertThat(results(ask(
                                NEWEST,
                                ElectionType.PREFERRED,
                                PATIENT_MS,
                                new TopicPartition("t", 1),
                                new TopicPartition("t", 9),
                                new TopicPartition("unknown", 0))
                        .answer()))
                .containsOnly(
                        Map.entry(new TopicPartition("t", 1), Errors.ELECTION_NOT_NEEDED),
                        Map.entry(new TopicPartition("t", 9), Errors.UNKNOWN_TOPIC_OR_PARTITION),
                        Map.entry(new TopicPartition("unknown", 0), Errors.UNKNOWN_TOPIC_OR_PARTITION));
    }

    @Test
    void aPreferredOwnerThatIsDownIsNotAvailable() {
        controlPlane.fenceNode(1, true);
        assertThat(results(ask(NEWEST, ElectionType.PREFERRED, PATIENT_MS, new TopicPartition("t", 0))
                        .answer()))
                .containsValue(Errors.PREFERRED_LEADER_NOT_AVAILABLE);
    }

    @Test
    void aMoveThatIsGivenUpOnTheWayIsNotWaitedFor() {
        FakeRequest request = ask(NEWEST, ElectionType.PREFERRED, PATIENT_MS, new TopicPartition("t", 0));
        FakeRequest.settle();
        controlPlane.clearTarget("t", 0);
        assertThat(results(request.answer())).containsValue(Errors.PREFERRED_LEADER_NOT_AVAILABLE);
    }

    @Test
    void anOwnerThatDoesNotHandOverInTimeIsATimeout() {
        assertThat(results(ask(NEWEST, ElectionType.PREFERRED, 1, new TopicPartition("t", 0))
                        .answer()))
                .containsValue(Errors.REQUEST_TIMED_OUT);
    }

    @Test
    void awayControllersAreARetriableError() {
        controlPlane.failNext(Reason.UNCERTAIN);
        assertThat(results(ask(NEWEST, ElectionType.PREFERRED, PATIENT_MS, new TopicPartition("t", 0))
                        .answer()))
                .containsValue(Errors.REQUEST_TIMED_OUT);
    }

    @Test
    void anUncleanElectionHasNobodyToElect() {
        controlPlane.fenceNode(2, true);
        int commands = controlPlane.submitted().size();
        assertThat(results(ask(
                                NEWEST,
                                ElectionType.UNCLEAN,
                                PATIENT_MS,
                                new TopicPartition("t", 0),
                                new TopicPartition("t", 1))
                        .answer()))
                .containsOnly(
                        Map.entry(new TopicPartition("t", 0), Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE),
                        Map.entry(new TopicPartition("t", 1), Errors.ELECTION_NOT_NEEDED));
        assertThat(controlPlane.submitted()).hasSize(commands);
    }

    private FakeRequest ask(short version, ElectionType type, int timeoutMs, TopicPartition @Nullable ... partitions) {
        return FakeRequest.sent(
                handler,
                new ElectLeadersRequest.Builder(type, partitions == null ? null : List.of(partitions), timeoutMs)
                        .build(version),
                "PLAINTEXT");
    }

    private static Map<TopicPartition, Errors> results(AbstractResponse response) {
        Map<TopicPartition, Errors> results = new HashMap<>();
        ((ElectLeadersResponse) response).data().replicaElectionResults().forEach(topic -> topic.partitionResult()
                .forEach(result -> results.put(
                        new TopicPartition(topic.topic(), result.partitionId()), Errors.forCode(result.errorCode()))));
        return results;
    }
}
