package io.catchment.broker.group;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData.Coordinator;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FindCoordinatorRequest;
import org.apache.kafka.common.requests.FindCoordinatorRequest.CoordinatorType;
import org.apache.kafka.common.requests.FindCoordinatorResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FindCoordinatorTest {
    private final GroupFixture node = GroupFixture.notStarted(Map.of("offsets.topic.replication.factor", "2"));

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void theFirstQuestionCreatesTheTopicAndTheNextIsAnswered() {
        node.host.start(node.controlPlane.image());
        node.controlPlane.pause();
        assertThat(errorOf(CoordinatorType.GROUP, "g")).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(errorOf(CoordinatorType.GROUP, "h")).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(creations()).as("asked for once while it is under way").hasSize(1);
        Command.CreateTopic created = creations().get(0).topics().get(0);
        assertThat(created.name()).isEqualTo(GroupFixture.OFFSETS);
        assertThat(created.partitions()).isEqualTo(3);
        assertThat(created.replicationFactor()).isEqualTo((short) 2);
        assertThat(created.configs())
                .isEqualTo(Map.of(
                        "cleanup.policy", "compact", "compression.type", "producer", "segment.bytes", "104857600"));
        node.controlPlane.resume();

        Coordinator found = find(CoordinatorType.GROUP, "g").coordinators().get(0);
        assertThat(found.errorCode()).isEqualTo(Errors.NONE.code());
        assertThat(found.nodeId()).isEqualTo(1);
        assertThat(found.host()).isEqualTo("host-1");
        assertThat(found.port()).isEqualTo(9100);
        assertThat(found.key()).isEqualTo("g");
    }

    @Test
    void aFailedCreationIsTriedAgainByTheNextQuestion() {
        node.host.start(node.controlPlane.image());
        node.controlPlane.failNext(CommandException.Reason.UNAVAILABLE);
        assertThat(errorOf(CoordinatorType.GROUP, "g")).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(errorOf(CoordinatorType.GROUP, "g")).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(errorOf(CoordinatorType.GROUP, "g")).isEqualTo(Errors.NONE);
    }

    @Test
    void severalGroupsAreAnsweredAtOnceAndOldVersionsOne() {
        node.createTopic(GroupFixture.OFFSETS, 3);
        node.host.start(node.controlPlane.image());
        FindCoordinatorResponse batched = node.call(
                FindCoordinatorResponse.class,
                new FindCoordinatorRequest.Builder(new FindCoordinatorRequestData()
                                .setKeyType(CoordinatorType.GROUP.id())
                                .setCoordinatorKeys(List.of("a", "b")))
                        .build());
        assertThat(batched.coordinators()).extracting(Coordinator::key).containsExactly("a", "b");
        for (short version = 0; version < 4; version++) {
            FindCoordinatorResponse single = node.call(
                    FindCoordinatorResponse.class,
                    new FindCoordinatorRequest.Builder(new FindCoordinatorRequestData().setKey("a")).build(version));
            assertThat(single.error()).isEqualTo(Errors.NONE);
            assertThat(single.node().port()).isEqualTo(9100);
        }
    }

    @Test
    void aFencedOwnerIsNoCoordinator() {
        node.createTopic(GroupFixture.OFFSETS, 3);
        node.host.start(node.controlPlane.image());
        node.controlPlane.fenceNode(1, true);
        assertThat(errorOf(CoordinatorType.GROUP, "g")).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
    }

    @Test
    void aGroupIsCoordinatedByTheOwnerOfItsPartitionOnceThatHasOpenedIt() {
        node.controlPlane.withNode(2, "PLAINTEXT");
        node.createTopic(GroupFixture.OFFSETS, 3);
        node.host.start(node.controlPlane.image());
        int partition = node.partitionOf("g");
        node.controlPlane.assignStream(GroupFixture.OFFSETS, partition, 2);
        assertThat(errorOf(CoordinatorType.GROUP, "g")).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);

        long stream = node.controlPlane.stream(GroupFixture.OFFSETS, partition).streamId();
        node.controlPlane.applyNow(new Command.OpenStreams(2, 2, List.of(new Command.Claim(stream, 0))));
        Coordinator found = find(CoordinatorType.GROUP, "g").coordinators().get(0);
        assertThat(found.errorCode()).isZero();
        assertThat(found.nodeId()).isEqualTo(2);
        assertThat(found.port()).isEqualTo(9200);
    }

    @Test
    void transactionsAndShareStatesAreNobodysYet() {
        node.host.start(node.controlPlane.image());
        assertThat(errorOf(CoordinatorType.TRANSACTION, "tx-1")).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(errorOf(CoordinatorType.SHARE, "g:AAAAAAAAAAAAAAAAAAAAAA:0"))
                .isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(creations()).isEmpty();
    }

    @Test
    void keysOfSharePartitionsAreRefusedBelowTheVersionThatBroughtThemAsInKafka() {
        node.host.start(node.controlPlane.image());
        String key = "g:AAAAAAAAAAAAAAAAAAAAAA:0";
        for (short version = 1; version < 6; version++) {
            FindCoordinatorRequestData asked = new FindCoordinatorRequestData().setKeyType(CoordinatorType.SHARE.id());
            FindCoordinatorResponseData answer = node.call(
                            FindCoordinatorResponse.class,
                            new FindCoordinatorRequest.Builder(
                                            version < 4 ? asked.setKey(key) : asked.setCoordinatorKeys(List.of(key)))
                                    .build(version))
                    .data();
            short error = version < 4
                    ? answer.errorCode()
                    : answer.coordinators().get(0).errorCode();
            assertThat(Errors.forCode(error)).as("version " + version).isEqualTo(Errors.INVALID_REQUEST);
        }
    }

    @Test
    void beforeTheStartNobodyIsNamed() {
        assertThat(errorOf(CoordinatorType.GROUP, "g")).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
    }

    private Errors errorOf(CoordinatorType type, String key) {
        return Errors.forCode(find(type, key).coordinators().get(0).errorCode());
    }

    private FindCoordinatorResponseData find(CoordinatorType type, String key) {
        return node.call(
                        FindCoordinatorResponse.class,
                        new FindCoordinatorRequest.Builder(new FindCoordinatorRequestData()
                                        .setKeyType(type.id())
                                        .setCoordinatorKeys(List.of(key)))
                                .build(ApiKeys.FIND_COORDINATOR.latestVersion()))
                .data();
    }

    private List<Command.CreateTopics> creations() {
        return node.controlPlane.submitted().stream()
                .filter(Command.CreateTopics.class::isInstance)
                .map(Command.CreateTopics.class::cast)
                .toList();
    }
}
