package io.catchment.controlplane.placement;

import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.state.ClusterState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which stores hold a new extent: the writer's own if it has one, then stores in zones not taken yet, then any; never those of
 * fenced nodes. Which of several equally good stores comes first turns with the extent's id, so that load spreads. Pure.
 */
public final class EnsemblePlacement {
    static final String WAL = "wal";

    private EnsemblePlacement() {}

    /** At most {@code replicas} stores; fewer when there are not so many. */
    public static List<Store> choose(ClusterState state, int writerNodeId, long extentId, int replicas) {
        List<NodeState> candidates = new ArrayList<>();
        for (NodeState node : state.nodes().values()) {
            if (!node.fenced() && node.roles().contains(WAL)) {
                candidates.add(node);
            }
        }
        candidates.sort(Comparator.comparingInt(NodeState::nodeId));
        List<NodeState> order = turned(candidates, extentId);
        order.sort(Comparator.comparing(node -> node.nodeId() != writerNodeId));

        List<Store> chosen = new ArrayList<>(replicas);
        Set<String> zones = new HashSet<>();
        List<NodeState> sameZone = new ArrayList<>();
        for (NodeState node : order) {
            if (chosen.size() == replicas) {
                break;
            }
            if (zones.add(node.zone())) {
                chosen.add(new Store(node.nodeId(), node.storeId()));
            } else {
                sameZone.add(node);
            }
        }
        for (NodeState node : sameZone) {
            if (chosen.size() < replicas) {
                chosen.add(new Store(node.nodeId(), node.storeId()));
            }
        }
        return List.copyOf(chosen);
    }

    private static List<NodeState> turned(List<NodeState> candidates, long by) {
        List<NodeState> turned = new ArrayList<>(candidates.size());
        for (int i = 0; i < candidates.size(); i++) {
            turned.add(candidates.get((int) Math.floorMod(by + i, (long) candidates.size())));
        }
        return turned;
    }
}
