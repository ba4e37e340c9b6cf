package io.catchment.controlplane.lead;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.ChangeListener;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.Protos;
import io.catchment.controlplane.state.StateBuilder;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class LivenessTest {
    private static final long LEASE_MS = 2000;
    private static final long LOOK_MS = 100;

    private final Liveness liveness = new Liveness(LEASE_MS, 700, 500);
    private final ClusterState three = state(node(1, 11, true), node(2, 12, true), node(3, 13, true));
    private long nowMs = 5_000;

    @Test
    void aNodeIsFencedWhenItsLeaseIsOverAndNotBefore() {
        liveness.begin(nowMs);
        assertThat(pass(1_900, 1, 2)).isEmpty();
        assertThat(pass(200, 1, 2)).containsExactly(3);
    }

    @Test
    void aNodeThatNeverHeartbeatsInItsEpochHasOneLeaseFromItsFirstSight() {
        liveness.begin(nowMs);
        liveness.heard(3, 12, NodeLoad.IDLE, nowMs);
        assertThat(pass(1_900, 1, 2)).isEmpty();
        assertThat(pass(300, 1, 2)).containsExactly(3);
    }

    @Test
    void aNodeWithoutLeaseIsNeverFenced() {
        liveness.begin(nowMs);
        for (int i = 0; i < 100; i++) {
            nowMs += LOOK_MS;
            assertThat(liveness.look(state(node(1, 11, false)), nowMs).silent()).isEmpty();
        }
    }

    @Test
    void whoLeadsAnewGivesEveryNodeAFreshLease() {
        liveness.begin(nowMs);
        pass(1_900, 1);
        liveness.begin(nowMs);
        assertThat(pass(1_900, 1)).isEmpty();
        assertThat(pass(200, 1)).containsExactly(2, 3);
    }

    @Test
    void afterAPauseOfThisProcessNobodyIsFencedForWhatItCouldNotHear() {
        liveness.begin(nowMs);
        pass(1_900, 1, 2, 3);
        nowMs += 30_000;
        Liveness.Look look = liveness.look(three, nowMs);
        assertThat(look.paused()).isTrue();
        assertThat(look.silent()).isEmpty();
        assertThat(pass(1_900, 1, 2)).isEmpty();
        assertThat(pass(200, 1, 2)).containsExactly(3);
    }

    @Test
    void aSilentNodeThatNobodyCanConnectToIsFencedSooner() {
        liveness.begin(nowMs);
        pass(300, 1, 2, 3);
        assertThat(pass(600, unreachable(3), 1, 2)).isEmpty();
        assertThat(pass(200, unreachable(3), 1, 2)).containsExactly(3);
    }

    @Test
    void whoBeginsToLeadCountsWhatTheOthersWentThroughBefore() {
        liveness.begin(nowMs);
        assertThat(pass(300, unreachable(3, 700), 1, 2))
                .as("it may be about to speak")
                .isEmpty();
        assertThat(pass(200, unreachable(3, 700), 1, 2)).containsExactly(3);
    }

    @Test
    void whatTheOthersWentThroughCountsOnlyIfAllOfThemSayIt() {
        liveness.begin(nowMs);
        assertThat(pass(600, unreachable(3, 700), 1))
                .as("node 2 was not heard of")
                .isEmpty();
        liveness.begin(nowMs);
        assertThat(pass(600, unreachable(3, 500), 1, 2)).as("not for long").isEmpty();
        liveness.begin(nowMs);
        pass(200, unreachable(3, 700), 1, 2, 3);
        assertThat(pass(600, unreachable(3, 700), 1, 2))
                .as("it spoke to this controller")
                .isEmpty();
    }

    @Test
    void oneWitnessWhoReachesItIsEnoughToWait() {
        liveness.begin(nowMs);
        pass(300, 1, 2, 3);
        for (int i = 0; i < 15; i++) {
            nowMs += LOOK_MS;
            liveness.heard(1, 11, unreachable(3), nowMs);
            liveness.heard(2, 12, NodeLoad.IDLE, nowMs);
            assertThat(liveness.look(three, nowMs).silent()).isEmpty();
        }
    }

    @Test
    void withoutWitnessesTheWholeLeaseCounts() {
        liveness.begin(nowMs);
        assertThat(pass(1_900)).isEmpty();
        assertThat(pass(200)).containsExactly(1, 2, 3);
    }

    @Test
    void figuresAreThoseOfTheLastHeartbeat() {
        liveness.begin(nowMs);
        liveness.heard(1, 11, unreachable(2), nowMs);
        liveness.heard(1, 11, unreachable(3), nowMs);
        assertThat(liveness.figures(three)).containsOnlyKeys(1).containsEntry(1, unreachable(3));
        liveness.begin(nowMs);
        assertThat(liveness.figures(three)).isEmpty();
    }

    @Test
    void whatANodeSaidInAnEarlierEpochIsNotItsOwnAnyMore() {
        liveness.begin(nowMs);
        liveness.heard(1, 10, unreachable(2), nowMs);
        liveness.heard(2, 12, NodeLoad.IDLE, nowMs);
        assertThat(liveness.figures(three)).containsOnlyKeys(2);
    }

    private List<Integer> pass(long ms, int... speaking) {
        return pass(ms, NodeLoad.IDLE, speaking);
    }

    /** Looks ten times a second; those speaking do so before each look. Who was fenced last. */
    private List<Integer> pass(long ms, NodeLoad load, int... speaking) {
        List<Integer> fenced = List.of();
        for (long passed = 0; passed < ms; passed += LOOK_MS) {
            nowMs += LOOK_MS;
            for (int node : speaking) {
                liveness.heard(node, 10 + node, load, nowMs);
            }
            fenced = liveness.look(three, nowMs).silent().stream()
                    .map(NodeState::nodeId)
                    .toList();
        }
        return fenced;
    }

    private static NodeLoad unreachable(int node) {
        return unreachable(node, 10);
    }

    private static NodeLoad unreachable(int node, long forMs) {
        return new NodeLoad(List.of(), List.of(), 1, 1, 0, false, Map.of(node, forMs), Set.of(), 0);
    }

    private static NodeState node(int id, long epoch, boolean leased) {
        return new NodeState(
                id, epoch, "store-" + id, List.of(), "z", List.of("wal"), Uuid.ZERO_UUID, false, leased, false);
    }

    private static ClusterState state(NodeState... nodes) {
        StateBuilder builder = new StateBuilder(ClusterState.EMPTY, ChangeListener.NONE);
        for (NodeState node : nodes) {
            builder.replay(LogRecord.own(Record.newBuilder().setNode(Protos.node(node))));
        }
        return builder.build();
    }
}
