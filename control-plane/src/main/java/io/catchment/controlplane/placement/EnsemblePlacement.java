package io.catchment.controlplane.placement;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.state.ClusterState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which stores hold a new extent: the writer's own if it has one, then stores in zones not taken yet, then any; never those of
 * fenced nodes, and those of nodes that are drained or short of disk, or that the writer avoids, only when it cannot be acknowledged without them. Of equally
 * good stores those with room come first, and which of these turns with the extent's id, so that load spreads. Pure.
 */
public final class EnsemblePlacement {
    static final String WAL = "wal";

    private EnsemblePlacement() {}

    /** At most {@code replicas} stores; fewer when there are not so many. */
    public static List<Store> choose(
            ClusterState state,
            Map<Integer, NodeLoad> figures,
            int writerNodeId,
            List<Store> avoid,
            long extentId,
            int replicas,
            int ackQuorum) {
        List<NodeState> good = new ArrayList<>();
        List<NodeState> poor = new ArrayList<>();
        for (NodeState node : state.nodes().values()) {
            if (node.isLive() && node.has(WAL)) {
                boolean pressed = figure(figures, node).isPressed();
                boolean avoided = avoid.contains(new Store(node.nodeId(), node.storeId()));
                (node.takesMore() && !pressed && !avoided ? good : poor).add(node);
            }
        }
        List<Store> chosen = new ArrayList<>(replicas);
        Set<String> zones = new HashSet<>();
        take(ordered(good, figures, writerNodeId, extentId), replicas, zones, chosen);
        if (chosen.size() < ackQuorum) {
            take(ordered(poor, figures, writerNodeId, extentId), ackQuorum, zones, chosen);
        }
        return List.copyOf(chosen);
    }

    /**
     * A store that a sealed extent can be copied to: in another zone than its live holders if there is one; null if none is left.
     *
     * @param butNot a node that had its chance; -1 for none
     */
    public static @Nullable Store further(
            ClusterState state, Map<Integer, NodeLoad> figures, ExtentState extent, int butNot) {
        Set<String> zones = new HashSet<>();
        Set<Integer> taken = new HashSet<>();
        for (Store holder : extent.holders()) {
            NodeState node = state.nodes().get(holder.nodeId());
            // A node that runs with another disk than the recorded one has no copy.
            if (node != null && node.storeId().equals(holder.storeId())) {
                taken.add(holder.nodeId());
                if (node.isLive()) {
                    zones.add(node.zone());
                }
            }
        }
        List<NodeState> candidates = new ArrayList<>();
        for (NodeState node : state.nodes().values()) {
            if (node.takesMore()
                    && node.has(WAL)
                    && !taken.contains(node.nodeId())
                    && node.nodeId() != butNot
                    && !figure(figures, node).isPressed()) {
                candidates.add(node);
            }
        }
        List<Store> chosen = new ArrayList<>(1);
        take(ordered(candidates, figures, -1, extent.extentId()), 1, zones, chosen);
        return chosen.isEmpty() ? null : chosen.get(0);
    }

    private static void take(List<NodeState> order, int upTo, Set<String> zones, List<Store> chosen) {
        List<NodeState> sameZone = new ArrayList<>();
        for (NodeState node : order) {
            if (chosen.size() < upTo && zones.add(node.zone())) {
                chosen.add(new Store(node.nodeId(), node.storeId()));
            } else {
                sameZone.add(node);
            }
        }
        for (NodeState node : sameZone) {
            if (chosen.size() < upTo) {
                chosen.add(new Store(node.nodeId(), node.storeId()));
            }
        }
    }

    private static List<NodeState> ordered(
            List<NodeState> candidates, Map<Integer, NodeLoad> figures, int writerNodeId, long extentId) {
        candidates.sort(Comparator.comparingInt(NodeState::nodeId));
        long freeMax = candidates.stream()
                .map(node -> figures.get(node.nodeId()))
                .filter(Objects::nonNull)
                .mapToLong(NodeLoad::diskFreeBytes)
                .max()
                .orElse(0);
        List<NodeState> turned = new ArrayList<>(candidates.size());
        for (int i = 0; i < candidates.size(); i++) {
            turned.add(candidates.get((int) Math.floorMod(extentId + i, (long) candidates.size())));
        }
        turned.sort(Comparator.<NodeState, Boolean>comparing(node -> node.nodeId() != writerNodeId)
                .thenComparing(node -> figure(figures, node).diskFreeBytes() < freeMax / 2));
        return turned;
    }

    private static NodeLoad figure(Map<Integer, NodeLoad> figures, NodeState node) {
        return figures.getOrDefault(node.nodeId(), NodeLoad.IDLE);
    }
}
