package io.catchment.controlplane.placement;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.Writer;
import io.catchment.controlplane.state.ClusterState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who owns a stream: of the live brokers that are not being drained the one with the least load, the lowest id first; and for a stream
 * with unflushed extents rather one that holds these. Pure.
 */
public final class OwnerPlacement {
    static final String BROKER = "broker";

    /** A node that holds all of a stream's unflushed extents is preferred to one with so much less of the mean load. */
    private static final double HOLDING_WORTH = 0.25;

    private OwnerPlacement() {}

    public static boolean isBroker(@Nullable NodeState node) {
        return node != null && node.has(BROKER);
    }

    /** An owner for each of {@code count} new streams; {@link ClusterState#NO_OWNER} for all when there is no broker. */
    public static List<Integer> choose(ClusterState state, Map<Integer, NodeLoad> figures, int count) {
        Loads loads = Loads.of(state, figures);
        List<Integer> owners = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            owners.add(take(loads, Map.of()));
        }
        return owners;
    }

    /** As {@link #choose}, but not the node that gives them up. */
    public static List<Integer> others(ClusterState state, Map<Integer, NodeLoad> figures, int butNot, int count) {
        Loads loads = Loads.of(state, figures);
        loads.without(butNot);
        List<Integer> owners = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            owners.add(take(loads, Map.of()));
        }
        return owners;
    }

    /** Owners in the place of those that are gone; as above. */
    public static List<Integer> successors(
            ClusterState state, Map<Integer, NodeLoad> figures, List<StreamState> streams) {
        Loads loads = Loads.of(state, figures);
        Map<List<Writer>, Map<Integer, Double>> holding = new HashMap<>();
        List<Integer> owners = new ArrayList<>(streams.size());
        for (StreamState stream : streams) {
            owners.add(take(loads, holding.computeIfAbsent(stream.writers(), writers -> holding(state, writers))));
        }
        return owners;
    }

    private static int take(Loads loads, Map<Integer, Double> holding) {
        Loads.@Nullable Broker best = null;
        double bestCost = 0;
        for (Loads.Broker broker : loads.brokers()) {
            double cost = loads.of(broker) - HOLDING_WORTH * holding.getOrDefault(broker.nodeId(), 0.0);
            if (best == null || cost < bestCost) {
                best = broker;
                bestCost = cost;
            }
        }
        if (best == null) {
            return ClusterState.NO_OWNER;
        }
        loads.give(best);
        return best.nodeId();
    }

    /** The part of the writers' unflushed extents that each node holds, from 0 to 1. */
    private static Map<Integer, Double> holding(ClusterState state, List<Writer> writers) {
        Map<Integer, Double> held = new HashMap<>();
        int extents = 0;
        for (ExtentState extent : state.extents().values()) {
            if (extent.phase() == ExtentState.Phase.FLUSHED
                    || !writers.contains(new Writer(extent.writerNodeId(), extent.writerEpoch()))) {
                continue;
            }
            extents++;
            for (ExtentState.Store store : extent.isSealed() ? extent.holders() : extent.ensemble()) {
                if (state.isLive(store)) {
                    held.merge(store.nodeId(), 1.0, Double::sum);
                }
            }
        }
        int all = Math.max(extents, 1);
        held.replaceAll((node, count) -> count / all);
        return held;
    }
}
