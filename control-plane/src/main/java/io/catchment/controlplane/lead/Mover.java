package io.catchment.controlplane.lead;

import io.catchment.controlplane.Command.Move;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.placement.Balancer;
import io.catchment.controlplane.state.ClusterState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which of the moves that the {@link Balancer} wants begin now. Soft state of the active controller on its monotonic clock, gone with its
 * leadership: the next one plans anew. Owned by the control thread.
 *
 * <p>Streams move in batches, the next one when the last one's are served where they went to. Its first batch to a new set of nodes is
 * small, each further one larger, up to a bound where nobody waits for the end of a drain: a process that has just started does everything for the
 * first time, and only these few streams wait for it. A batch that does not settle holds up the next for a few seconds, not for ever. Nodes on {@link Probation} get nothing yet.
 */
public final class Mover {
    static final int FIRST = 2;
    static final long PATIENCE_MS = 3_000;
    private static final int GROWTH = 4;
    /** Streams that move together pause together, for the time that the step of all of them takes on each node. */
    static final int SMALL = 32;
    /** A plan of more than so many small batches has larger ones: it must come to an end. */
    private static final int BATCHES = 16;

    /** Streams that move at a time, those moved by hand among them. */
    private static final int MOVING_MAX = 2_000;

    private final long levelEveryMs;
    private final Probation probation = new Probation();
    private final Deque<Move> plan = new ArrayDeque<>();
    private final Set<Long> underWay = new HashSet<>();
    /** By node that is given streams in this batch: how many of its streams it did not serve before. */
    private final Map<Integer, Integer> unservedBefore = new HashMap<>();

    private Set<Integer> plannedFor = Set.of();
    private long batchMs;
    private int window = FIRST;
    private int windowMax = SMALL;
    private Set<Integer> levelledFor = Set.of();
    private long levelledMs;

    /** @param levelEveryMs figures need so long to tell what moves did; a change of the brokers does not wait */
    public Mover(long levelEveryMs) {
        this.levelEveryMs = levelEveryMs;
    }

    /** Leadership begins: loads are taken to be as they should be. */
    public void begin(long nowMs, ClusterState state) {
        forget();
        levelledMs = nowMs;
        probation.begin(state, nowMs);
        levelledFor = takers(state, Set.of());
    }

    /** Whether moves are under way or left to be made: the next look should be soon. */
    public boolean isBusy() {
        return !plan.isEmpty() || !underWay.isEmpty();
    }

    /** Moves to begin on this state, which has everything appended; none while extents are recovered: their streams have other worries. */
    public List<Move> next(ClusterState state, Map<Integer, NodeLoad> figures, long nowMs) {
        Set<Integer> waiting = probation.waiting(state, nowMs);
        Set<Integer> takers = takers(state, waiting);
        if (!takers.equals(plannedFor)) {
            forget();
            plannedFor = takers;
        }
        boolean mustWait = !isSettled(state, figures) && nowMs - batchMs < PATIENCE_MS;
        if (mustWait || !state.writersUnderRecovery().isEmpty()) {
            return List.of();
        }
        if (!underWay.isEmpty()) {
            window = Math.min(GROWTH * window, windowMax);
            underWay.clear();
        }
        if (plan.isEmpty()) {
            // A share that others are moving now is no reason to level
            boolean alone = state.moving().isEmpty();
            plan.addAll(Balancer.plan(state, figures, waiting, MOVING_MAX, alone && isLevellingDue(takers, nowMs)));
            windowMax = isDraining(state) ? MOVING_MAX : Math.max(SMALL, plan.size() / BATCHES);
        }
        return batch(state, figures, nowMs);
    }

    /** Somebody waits for its end, and not for long. */
    private static boolean isDraining(ClusterState state) {
        return state.nodes().values().stream().anyMatch(node -> node.isLive() && node.draining());
    }

    private void forget() {
        plan.clear();
        underWay.clear();
        unservedBefore.clear();
        window = FIRST;
    }

    private List<Move> batch(ClusterState state, Map<Integer, NodeLoad> figures, long nowMs) {
        int room = Math.min(window, MOVING_MAX - state.moving().size());
        List<Move> batch = new ArrayList<>();
        unservedBefore.clear();
        while (batch.size() < room && !plan.isEmpty()) {
            Move move = plan.remove();
            if (isStillRight(state, move)) {
                batch.add(move);
                underWay.add(move.streamId());
                unservedBefore.computeIfAbsent(move.targetNodeId(), node -> unserved(state, figures, node));
            }
        }
        batchMs = nowMs;
        return batch;
    }

    private static boolean isStillRight(ClusterState state, Move move) {
        StreamState stream = state.streams().get(move.streamId());
        NodeState target = state.nodes().get(move.targetNodeId());
        return stream != null
                && stream.targetNodeId() == ClusterState.NO_OWNER
                && stream.ownerNodeId() != move.targetNodeId()
                && target != null
                && target.isLive();
    }

    private boolean isSettled(ClusterState state, Map<Integer, NodeLoad> figures) {
        for (long streamId : underWay) {
            if (state.moving().contains(streamId)) {
                return false;
            }
        }
        for (Map.Entry<Integer, Integer> node : unservedBefore.entrySet()) {
            if (unserved(state, figures, node.getKey()) > node.getValue()) {
                return false;
            }
        }
        return true;
    }

    /** A heartbeat is older than the state: a stream that has just arrived is not counted as served. */
    private static int unserved(ClusterState state, Map<Integer, NodeLoad> figures, int nodeId) {
        int served = figures.getOrDefault(nodeId, NodeLoad.IDLE).streamsServed();
        return Math.max(0, state.ownedBy(nodeId) - served);
    }

    /** One chance per cause; it is not used up while nothing could be moved. */
    private boolean isLevellingDue(Set<Integer> takers, long nowMs) {
        boolean due = !takers.equals(levelledFor) || nowMs - levelledMs >= levelEveryMs;
        if (due) {
            levelledFor = takers;
            levelledMs = nowMs;
        }
        return due;
    }

    private static Set<Integer> takers(ClusterState state, Set<Integer> waiting) {
        Set<Integer> takers = new HashSet<>();
        for (NodeState node : state.nodes().values()) {
            if (node.takesMore() && !waiting.contains(node.nodeId())) {
                takers.add(node.nodeId());
            }
        }
        return takers;
    }
}
