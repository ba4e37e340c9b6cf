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
 * small, each further one larger: a process that has just started does everything for the first time, and only these few streams
 * wait for it. A batch that does not settle holds up the next for a few seconds, not for ever.
 */
public final class Mover {
    static final int FIRST = 2;
    static final long PATIENCE_MS = 3_000;
    private static final int GROWTH = 4;
    /** Streams that move at a time, those moved by hand among them. */
    private static final int MOVING_MAX = 2_000;

    private final long levelEveryMs;
    private final Deque<Move> plan = new ArrayDeque<>();
    private final Set<Long> underWay = new HashSet<>();
    /** By node that is given streams in this batch: how many of its streams it did not serve before. */
    private final Map<Integer, Integer> unservedBefore = new HashMap<>();

    private Set<Integer> plannedFor = Set.of();
    private long batchMs;
    private int window = FIRST;
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
        levelledFor = takers(state);
    }

    /** Whether moves are under way or left to be made: the next look should be soon. */
    public boolean isBusy() {
        return !plan.isEmpty() || !underWay.isEmpty();
    }

    /** Moves to begin on this state, which has everything appended; none while extents are recovered: their streams have other worries. */
    public List<Move> next(ClusterState state, Map<Integer, NodeLoad> figures, long nowMs) {
        Set<Integer> takers = takers(state);
        if (!takers.equals(plannedFor)) {
            forget();
            plannedFor = takers;
        }
        boolean mustWait = !isSettled(state, figures) && nowMs - batchMs < PATIENCE_MS;
        if (mustWait || !state.writersUnderRecovery().isEmpty()) {
            return List.of();
        }
        if (!underWay.isEmpty()) {
            window = Math.min(GROWTH * window, MOVING_MAX);
            underWay.clear();
        }
        if (plan.isEmpty()) {
            // A share that others are moving now is no reason to level
            boolean alone = state.moving().isEmpty();
            plan.addAll(Balancer.plan(state, figures, MOVING_MAX, alone && isLevellingDue(takers, nowMs)));
        }
        return batch(state, figures, nowMs);
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

    private static Set<Integer> takers(ClusterState state) {
        Set<Integer> takers = new HashSet<>();
        for (NodeState node : state.nodes().values()) {
            if (node.takesMore()) {
                takers.add(node.nodeId());
            }
        }
        return takers;
    }
}
