package io.catchment.broker.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The coordinator against its log: acknowledgement, failed appends, loads, the change of owners. */
class GroupLogTest {
    private final GroupFixture node = GroupFixture.running(Map.of("offsets.commit.timeout.ms", "2000"));
    private final GroupClient client = new GroupClient(node);

    @BeforeEach
    void topic() {
        node.createTopic("readings", 30);
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void aCommitIsAnsweredAndVisibleOnlyOnceItIsAcknowledged() {
        client.commit("g", "readings", 0, 1);
        node.logOf("g").hold();
        CompletableFuture<Errors> commit = client.commitLater("g", "readings", 0, 2);
        GroupFixture.await(() -> node.logOf("g").endOffset() == 2, "the append");
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 1L));
        assertThat(commit).isNotDone();
        node.logOf("g").release();
        assertThat(commit.join()).isEqualTo(Errors.NONE);
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 2L));
    }

    @Test
    void aRefusedAppendIsRolledBack() {
        client.commit("g", "readings", 0, 1);
        node.partitions.appendFault(FakePartitions.AppendFault.REFUSED);
        assertThat(client.commit("g", "readings", 0, 2)).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(client.commit("fresh", "readings", 0, 2)).isEqualTo(Errors.NOT_COORDINATOR);
        node.partitions.appendFault(FakePartitions.AppendFault.NONE);
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 1L));
        assertThat(client.offsets("fresh")).isEmpty();
        assertThat(client.commit("g", "readings", 0, 3)).isEqualTo(Errors.NONE);
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 3L));
    }

    @Test
    void anAppendOfUnknownFateThatWasWrittenIsFoundAndLoaded() {
        client.commit("g", "readings", 0, 1);
        node.partitions.appendFault(FakePartitions.AppendFault.FAILED_BUT_WRITTEN);
        assertThat(client.commit("g", "readings", 1, 2)).isNotEqualTo(Errors.NONE);
        node.partitions.appendFault(FakePartitions.AppendFault.NONE);
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 1L));
        // The next append's offset is not the expected one: what it was part of is refused and the state read anew.
        assertThat(client.commit("g", "readings", 2, 3)).isNotEqualTo(Errors.NONE);
        node.awaitLoaded();
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 1L, "readings-1", 2L, "readings-2", 3L));
        assertThat(client.commit("g", "readings", 0, 9)).isEqualTo(Errors.NONE);
    }

    @Test
    void aReloadWaitsForAppendsThatAreNotYetAcknowledged() {
        client.commit("g", "readings", 0, 1);
        node.partitions.appendFault(FakePartitions.AppendFault.FAILED_BUT_WRITTEN);
        client.commit("g", "readings", 1, 2);
        node.partitions.appendFault(FakePartitions.AppendFault.NONE);
        node.logOf("g").hold();
        assertThat(client.commit("g", "readings", 2, 3)).isNotEqualTo(Errors.NONE);
        assertThat(client.fetchError("g")).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS);
        node.logOf("g").release();
        node.awaitLoaded();
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 1L, "readings-1", 2L, "readings-2", 3L));
    }

    @Test
    void sixtyThousandRecordsAreThereAfterTheOwnerChanged() {
        for (int round = 0; round < 2_000; round++) {
            client.commitAll("g" + round % 20, "readings", 30, round);
        }
        for (int partition = 0; partition < 3; partition++) {
            node.reopen(partition);
        }
        node.awaitLoaded();
        for (int group = 0; group < 20; group++) {
            Map<String, Long> offsets = client.offsets("g" + group);
            assertThat(offsets).hasSize(30);
            assertThat(offsets.values()).containsOnly(1980L + group);
        }
        assertThat(node.partitions.reads()).isPositive();
        assertThat(client.commit("g0", "readings", 0, 5_000)).isEqualTo(Errors.NONE);
    }

    @Test
    void stateSurvivesARestart() {
        client.commit("g", "readings", 0, 11);
        client.commit("h", "readings", 1, 12);
        node.restart();
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 11L));
        assertThat(client.offsets("h")).isEqualTo(Map.of("readings-1", 12L));
        assertThat(client.deleteGroup("h")).isEqualTo(Errors.NONE);
        node.restart();
        assertThat(client.listGroups()).hasSize(1);
    }

    @Test
    void aLoadGoesOnWhenReadsFailForAWhile() {
        client.commit("g", "readings", 0, 7);
        node.partitions.failReads(2);
        node.reopen(node.partitionOf("g"));
        node.awaitLoaded();
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 7L));
        assertThat(node.partitions.reads()).isEqualTo(3);
    }

    @Test
    void whatComesDuringALoadIsToldSo() {
        client.commit("g", "readings", 0, 7);
        CompletableFuture<Void> gate = new CompletableFuture<>();
        node.partitions.gateReads(gate);
        node.reopen(node.partitionOf("g"));
        GroupFixture.await(
                () -> client.fetchError("g") == Errors.COORDINATOR_LOAD_IN_PROGRESS, "the load is under way");
        assertThat(client.commit("g", "readings", 0, 8)).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS);
        gate.complete(null);
        node.awaitLoaded();
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 7L));
    }

    @Test
    void theCoordinatorGoesOnAfterItsLogHadNoQuorumForAWhile() {
        client.commit("g", "readings", 0, 1);
        node.logOf("g").hold();
        CompletableFuture<Errors> commit = client.commitLater("g", "readings", 0, 2);
        GroupFixture.await(() -> node.logOf("g").endOffset() == 2, "the append");
        node.logOf("g").quorum(false);
        node.logOf("g").release();
        node.logOf("g").quorum(true);
        assertThat(commit.join()).isEqualTo(Errors.NONE);
        assertThat(client.commit("g", "readings", 0, 3)).isEqualTo(Errors.NONE);
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 3L));
    }

    @Test
    void aLoadWithoutAQuorumIsNotGivenUp() {
        client.commit("g", "readings", 0, 7);
        CompletableFuture<Void> gate = new CompletableFuture<>();
        node.partitions.gateReads(gate);
        node.reopen(node.partitionOf("g"));
        node.logOf("g").quorum(false);
        gate.complete(null);
        node.awaitLoaded();
        node.logOf("g").quorum(true);
        assertThat(client.commit("g", "readings", 0, 8)).isEqualTo(Errors.NONE);
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 8L));
    }

    @Test
    void aLoadEndsWhenOwnershipDoes() {
        client.commit("g", "readings", 0, 7);
        CompletableFuture<Void> gate = new CompletableFuture<>();
        node.partitions.gateReads(gate);
        node.reopen(node.partitionOf("g"));
        GroupFixture.await(() -> node.partitions.reads() == 1, "the read");
        node.closePartition(node.partitionOf("g"));
        gate.complete(null);
        GroupFixture.await(() -> client.fetchError("g") == Errors.NOT_COORDINATOR, "resignation");
        assertThat(client.listGroupsError()).isEqualTo(Errors.NONE);
    }

    @Test
    void afterTheLossOfItsPartitionTheCoordinatorAnswersAndWritesNothingMore() {
        client.commit("g", "readings", 0, 1);
        FakePartition log = node.logOf("g");
        log.hold();
        CompletableFuture<Errors> parked = client.commitLater("g", "readings", 0, 2);
        GroupFixture.await(() -> log.endOffset() == 2, "the append");
        int partition = node.partitionOf("g");
        node.host.onPartitionClosed(partition);
        assertThat(parked.join()).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(client.commit("g", "readings", 0, 3)).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(log.endOffset()).isEqualTo(2);
        GroupFixture.await(() -> log.watchers() == 0, "nobody listens any more");
    }

    @Test
    void aCoordinatorThatHasNotHeardOfItsResignationCannotWriteIntoTheNextTenure() {
        client.commit("g", "readings", 0, 1);
        int partition = node.partitionOf("g");
        FakePartition next = node.logOf("g").reopened();
        node.partitions.put(next);
        assertThat(client.commit("g", "readings", 0, 2)).isNotEqualTo(Errors.NONE);
        assertThat(next.endOffset()).isEqualTo(1);
        node.host.onPartitionClosed(partition);
        node.host.onPartitionOpened(partition, next.leaderEpoch());
        node.awaitLoaded();
        assertThat(client.commit("g", "readings", 0, 3)).isEqualTo(Errors.NONE);
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 3L));
    }
}
