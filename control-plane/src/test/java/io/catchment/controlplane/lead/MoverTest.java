package io.catchment.controlplane.lead;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command.Move;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.StreamsAssigned;
import io.catchment.controlplane.proto.StreamsCreated;
import io.catchment.controlplane.proto.StreamsTargeted;
import io.catchment.controlplane.state.ChangeListener;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.Protos;
import io.catchment.controlplane.state.StateBuilder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.TopicRecord;
import org.junit.jupiter.api.Test;

class MoverTest {
    private final StateBuilder builder = new StateBuilder(ClusterState.EMPTY, ChangeListener.NONE);
    private final Map<Integer, NodeLoad> figures = new HashMap<>();
    private final Mover mover = new Mover(30_000);
    private long nextStream = 1;
    private long nowMs;

    @Test
    void batchesGrowAndTheNextBeginsWhenTheLastIsServed() {
        threeAndOne(100);
        List<Move> first = next(1_000);
        assertThat(first).hasSize(Mover.FIRST).allMatch(move -> move.targetNodeId() == 4);
        assertThat(next(1_100)).as("they still move").isEmpty();
        arrive(first);
        assertThat(next(1_200)).as("they are not served yet").isEmpty();
        serve(4, first.size());
        List<Move> second = next(1_300);
        assertThat(second).hasSize(4 * Mover.FIRST).doesNotContainAnyElementsOf(first);
        arrive(second);
        serve(4, first.size() + second.size());
        assertThat(next(1_400)).hasSizeGreaterThan(2 * second.size() - 1);
    }

    @Test
    void theWholePlanIsMadeOnceAndComesToAnEnd() {
        threeAndOne(100);
        int moved = 0;
        for (long now = 1_000; now < 20_000; now += 100) {
            List<Move> batch = next(now);
            moved += batch.size();
            arrive(batch);
            // The traffic of what has moved shows late, and must not make more go
            serve(4, moved, 0);
            serve(1, 100, 5_000);
        }
        assertThat(moved).isBetween(60, 80);
        assertThat(mover.isBusy()).isFalse();
    }

    @Test
    void batchesStaySmallUnlessThePlanIsLongOrANodeIsDrained() {
        threeAndOne(400);
        assertThat(batches()).allMatch(size -> size <= Mover.SMALL).contains(Mover.SMALL);
        threeAndOne(4_000);
        assertThat(batches()).hasSizeLessThan(40);
        NodeState drained = state().nodes().get(3).withDraining(true);
        builder.replay(LogRecord.own(Record.newBuilder().setNode(Protos.node(drained))));
        assertThat(batches()).anyMatch(size -> size > 1_000);
    }

    /** Makes all moves that are wanted; how many at a time. */
    private List<Integer> batches() {
        List<Integer> sizes = new ArrayList<>();
        nowMs += 100_000;
        do {
            nowMs += 100;
            List<Move> moves = next(nowMs);
            arrive(moves);
            for (int node : List.copyOf(figures.keySet())) {
                serve(node, state().ownedBy(node));
            }
            sizes.add(moves.size());
        } while (mover.isBusy());
        return sizes;
    }

    @Test
    void aBatchThatDoesNotSettleHoldsUpTheNextForAWhile() {
        threeAndOne(100);
        arrive(next(1_000));
        assertThat(next(1_000 + Mover.PATIENCE_MS - 1)).isEmpty();
        assertThat(next(1_000 + Mover.PATIENCE_MS)).isNotEmpty();
    }

    @Test
    void aNewSetOfNodesIsPlannedForAnewAndBeginsSmall() {
        threeAndOne(100);
        List<Move> first = next(1_000);
        arrive(first);
        serve(4, first.size());
        List<Move> second = next(1_100);
        arrive(second);
        serve(4, first.size() + second.size());
        node(5);
        List<Move> third = next(1_200);
        assertThat(third).hasSize(Mover.FIRST);
        assertThat(third).anyMatch(move -> move.targetNodeId() == 5);
    }

    @Test
    void movesThatBecameWrongAreLeftOut() {
        threeAndOne(4);
        List<Move> first = next(1_000);
        arrive(first);
        serve(4, first.size());
        Set<Long> gone = Set.copyOf(state().streams().keySet());
        // Somebody else has moved all of them meanwhile
        StreamsAssigned.Builder assigned = StreamsAssigned.newBuilder();
        gone.forEach(id -> assigned.addStreamIds(id).addOwners(4));
        builder.replay(LogRecord.own(Record.newBuilder().setStreamsAssigned(assigned)));
        serve(4, gone.size());
        assertThat(next(1_100)).isEmpty();
    }

    @Test
    void loadsAreLevelledAtOnceWhenTheBrokersChangeAndElseNowAndThen() {
        node(1);
        topic(1, 40);
        mover.begin(0, state());
        node(2);
        serve(1, 40);
        settleAll(1_000);
        assertThat(state().ownedBy(2)).isBetween(18, 22);
        topic(1, 40);
        serve(1, state().ownedBy(1));
        assertThat(next(5_000)).isEmpty();
        assertThat(next(30_999)).isEmpty();
        assertThat(next(31_000)).isNotEmpty();
    }

    @Test
    void theChanceToLevelIsKeptWhileExtentsAreRecovered() {
        threeAndOne(100);
        ExtentState open = new ExtentState(
                7, 3, 9, 9, 1, List.of(new Store(1, "store-1")), 1, ExtentState.Phase.OPEN, -1, List.of());
        extent(open.recovering(20, null));
        assertThat(next(1_000)).isEmpty();
        extent(open.as(ExtentState.Phase.SEALED, 20, 100, List.of(new Store(1, "store-1"))));
        assertThat(next(1_100)).hasSize(Mover.FIRST);
    }

    @Test
    void aNodeThatEndsAgainAndAgainGetsItsStreamsBackLaterEachTime() {
        node(1);
        topic(1, Mover.FIRST);
        node(2);
        topic(2, Mover.FIRST);
        mover.begin(0, state());
        long now = 100_000;
        assertThat(lossAndReturnMs(now)).as("after a long life").isZero();
        now += 1_000;
        long first = lossAndReturnMs(now);
        assertThat(first).isBetween(Probation.FIRST_MS, Probation.FIRST_MS + 100);
        now += first + 1_000;
        long second = lossAndReturnMs(now);
        assertThat(second).isBetween(2 * Probation.FIRST_MS, 2 * Probation.FIRST_MS + 100);
        now += second + Probation.STEADY_MS + 100;
        assertThat(lossAndReturnMs(now)).as("it was steady again").isZero();
    }

    @Test
    void aNodeThatIsStoppedAndStartedInOrderDoesNotWait() {
        node(1);
        topic(1, Mover.FIRST);
        node(2);
        topic(2, Mover.FIRST);
        mover.begin(0, state());
        assertThat(lossAndReturnMs(100_000)).isZero();
        NodeState leaves = state().nodes().get(2).withDraining(true).withFenced(true);
        builder.replay(LogRecord.own(Record.newBuilder().setNode(Protos.node(leaves))));
        assertThat(lossAndReturnMs(101_000)).isZero();
    }

    /** Node 2 is lost, its streams go to 1, it is back 100 ms later: how long it is up before it is given them again. */
    private long lossAndReturnMs(long nowMs) {
        NodeState lost = state().nodes().get(2);
        builder.replay(LogRecord.own(Record.newBuilder().setNode(Protos.node(lost.withFenced(true)))));
        StreamsAssigned.Builder assigned = StreamsAssigned.newBuilder();
        state().streams().values().stream()
                .filter(stream -> stream.ownerNodeId() == 2)
                .forEach(stream -> assigned.addStreamIds(stream.streamId()).addOwners(1));
        builder.replay(LogRecord.own(Record.newBuilder().setStreamsAssigned(assigned)));
        assertThat(next(nowMs)).isEmpty();
        node(2, lost.epoch() + 1);
        for (long waited = 0; waited < 200_000; waited += 100) {
            List<Move> moves = next(nowMs + 100 + waited);
            arrive(moves);
            serve(2, state().ownedBy(2));
            if (!moves.isEmpty()) {
                assertThat(state().ownedBy(2)).isEqualTo(Mover.FIRST);
                return waited;
            }
        }
        throw new AssertionError("never");
    }

    /** Three brokers with so many streams each, and a fourth with none that has just come. */
    private void threeAndOne(int streams) {
        for (int node = 1; node <= 3; node++) {
            node(node);
            topic(node, streams);
            serve(node, streams);
        }
        mover.begin(0, state());
        node(4);
        serve(4, 0);
    }

    private void settleAll(long fromMs) {
        for (long now = fromMs; now == fromMs || mover.isBusy(); now += 100) {
            arrive(next(now));
            for (int node : List.copyOf(figures.keySet())) {
                serve(node, state().ownedBy(node));
            }
            serve(2, state().ownedBy(2));
        }
    }

    private List<Move> next(long nowMs) {
        List<Move> moves = mover.next(state(), figures, nowMs);
        StreamsTargeted.Builder targeted = StreamsTargeted.newBuilder();
        for (Move move : moves) {
            targeted.addStreamIds(move.streamId())
                    .addTargets(move.targetNodeId())
                    .addPreferred(move.targetNodeId())
                    .addPinned(false);
        }
        builder.replay(LogRecord.own(Record.newBuilder().setStreamsTargeted(targeted)));
        return moves;
    }

    private void arrive(List<Move> moves) {
        StreamsAssigned.Builder assigned = StreamsAssigned.newBuilder();
        moves.forEach(move -> assigned.addStreamIds(move.streamId()).addOwners(move.targetNodeId()));
        builder.replay(LogRecord.own(Record.newBuilder().setStreamsAssigned(assigned)));
    }

    private void serve(int node, int streams) {
        serve(node, streams, 0);
    }

    private void serve(int node, int streams, double bytesPerSecond) {
        figures.put(
                node, new NodeLoad(List.of(bytesPerSecond), List.of(), 1, 1, 0, false, Map.of(), Set.of(), streams));
    }

    private ClusterState state() {
        return builder.build();
    }

    private void topic(int owner, int partitions) {
        Uuid id = new Uuid(7, nextStream + 1_000_000L * owner);
        builder.replay(
                LogRecord.kafka(new TopicRecord().setName("topic-" + nextStream).setTopicId(id), (short) 0));
        builder.replay(LogRecord.own(Record.newBuilder()
                .setStreamsCreated(StreamsCreated.newBuilder()
                        .setTopicId(Protos.uuid(id))
                        .setFirstStreamId(nextStream)
                        .setPinned(false)
                        .addAllOwners(new ArrayList<>(Collections.nCopies(partitions, owner))))));
        nextStream += partitions;
    }

    private void extent(ExtentState extent) {
        builder.replay(LogRecord.own(Record.newBuilder().setExtent(Protos.extent(extent))));
    }

    private void node(int id) {
        node(id, 10 + id);
    }

    private void node(int id, long epoch) {
        NodeState node = new NodeState(
                id, epoch, "store-" + id, List.of(), "z", List.of("broker", "wal"), Uuid.ZERO_UUID, false, true, false);
        builder.replay(LogRecord.own(Record.newBuilder().setNode(Protos.node(node))));
    }
}
