package io.catchment.controlplane.placement;

import io.catchment.controlplane.Command.Move;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.state.ClusterState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which streams should change their owners, in three steps of falling urgency: those of nodes being drained go; those that a failure
 * drove away return to their preferred owners; and when a node's load is more than 10 % from the mean, as few streams as bring
 * all within it go from the most loaded to the least. Streams pinned by hand only leave a drained node. Pure.
 */
public final class Balancer {
    static final double TOLERANCE = 0.10;

    private Balancer() {}

    /**
     * At most {@code limit} moves; none when all is well. Streams that are moving already are left alone.
     *
     * @param waiting nodes that are given no streams yet; where there are no others, they are given those of nodes being drained all the same
     * @param mayLevel whether the third step may be taken
     */
    public static List<Move> plan(
            ClusterState state, Map<Integer, NodeLoad> figures, Set<Integer> waiting, int limit, boolean mayLevel) {
        List<Move> moves = new ArrayList<>();
        Loads loads = Loads.of(state, figures, waiting);
        List<Integer> drained = state.nodes().values().stream()
                .filter(node -> node.isLive() && node.draining() && state.ownedBy(node.nodeId()) > 0)
                .map(NodeState::nodeId)
                .filter(node -> loads.broker(node) == null)
                .toList();
        if (loads.isEmpty()) {
            return moves;
        }
        if (!drained.isEmpty()) {
            drain(state, loads, drained, limit, moves);
            return moves;
        }
        returnHome(state, loads, waiting, limit, moves);
        if (mayLevel && moves.isEmpty() && isUneven(loads)) {
            level(state, loads, limit, moves);
        }
        return moves;
    }

    private static void drain(ClusterState state, Loads loads, List<Integer> drained, int limit, List<Move> moves) {
        for (StreamState stream : sorted(state)) {
            if (moves.size() >= limit) {
                return;
            }
            if (drained.contains(stream.ownerNodeId()) && stream.targetNodeId() == ClusterState.NO_OWNER) {
                Loads.Broker to = least(loads);
                loads.give(to);
                moves.add(new Move(stream.streamId(), to.nodeId()));
            }
        }
    }

    private static boolean mayReturn(ClusterState state, StreamState stream) {
        NodeState home = state.nodes().get(stream.preferredNodeId());
        return stream.targetNodeId() == ClusterState.NO_OWNER
                && home != null
                && home.takesMore()
                && OwnerPlacement.isBroker(home);
    }

    private static void returnHome(ClusterState state, Loads loads, Set<Integer> waiting, int limit, List<Move> moves) {
        for (long streamId : state.away()) {
            StreamState stream = state.streams().get(streamId);
            if (moves.size() >= limit) {
                return;
            }
            if (stream != null && mayReturn(state, stream) && !waiting.contains(stream.preferredNodeId())) {
                moves.add(new Move(stream.streamId(), stream.preferredNodeId()));
                Loads.@Nullable Broker from = loads.broker(stream.ownerNodeId());
                Loads.@Nullable Broker to = loads.broker(stream.preferredNodeId());
                if (from != null && to != null) {
                    loads.move(from, to);
                }
            }
        }
    }

    /** Beyond the tolerance, and by more than a stream: one stream too many cannot be helped. */
    private static boolean isUneven(Loads loads) {
        double most = loads.of(most(loads));
        double least = loads.of(least(loads));
        boolean beyond = most > 1 + TOLERANCE || least < 1 - TOLERANCE;
        return beyond && most - least > loads.ofOneStream() * 1.001;
    }

    private static void level(ClusterState state, Loads loads, int limit, List<Move> moves) {
        Crowds crowds = new Crowds();
        for (StreamState stream : sorted(state)) {
            crowds.add(stream, !stream.pinned() && stream.targetNodeId() == ClusterState.NO_OWNER);
        }
        while (moves.size() < limit && isUneven(loads)) {
            Loads.Broker from = most(loads);
            Loads.Broker to = least(loads);
            OptionalLong stream = crowds.move(from.nodeId(), to.nodeId());
            if (stream.isEmpty()) {
                return;
            }
            loads.move(from, to);
            moves.add(new Move(stream.getAsLong(), to.nodeId()));
        }
    }

    private static Loads.Broker least(Loads loads) {
        return loads.brokers().stream()
                .min(Comparator.<Loads.Broker>comparingDouble(loads::of).thenComparingInt(Loads.Broker::nodeId))
                .orElseThrow();
    }

    private static Loads.Broker most(Loads loads) {
        return loads.brokers().stream()
                .max(Comparator.<Loads.Broker>comparingDouble(loads::of).thenComparingInt(Loads.Broker::nodeId))
                .orElseThrow();
    }

    private static List<StreamState> sorted(ClusterState state) {
        return state.streams().values().stream()
                .sorted(Comparator.comparingLong(StreamState::streamId))
                .toList();
    }
}
