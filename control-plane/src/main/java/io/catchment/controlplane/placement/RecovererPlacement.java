package io.catchment.controlplane.placement;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Recoverer;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.state.ClusterState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who recovers a dead writer's extent: the writer's own node when it is back with the same store, else the live ensemble node with the
 * fewest extents to recover. Owned by one decision: it counts what it gives out.
 */
public final class RecovererPlacement {
    private final ClusterState state;
    private final Map<Integer, Integer> given = new HashMap<>();

    public RecovererPlacement(ClusterState state) {
        this.state = state;
        for (ExtentState extent : state.extents().values()) {
            Recoverer recoverer = extent.recoverer();
            if (recoverer != null) {
                given.merge(recoverer.nodeId(), 1, Integer::sum);
            }
        }
    }

    /** @param butNot a node that had its chance; -1 for none. Null when no live node has a store of the ensemble */
    public @Nullable Recoverer choose(ExtentState extent, int butNot) {
        @Nullable NodeState best = null;
        for (Store store : extent.ensemble()) {
            NodeState node = state.nodes().get(store.nodeId());
            if (node == null || !state.isLive(store) || node.nodeId() == butNot) {
                continue;
            }
            if (node.nodeId() == extent.writerNodeId()) {
                best = node;
                break;
            }
            if (best == null || count(node) < count(best)) {
                best = node;
            }
        }
        if (best == null) {
            return null;
        }
        given.merge(best.nodeId(), 1, Integer::sum);
        return new Recoverer(best.nodeId(), best.epoch());
    }

    private int count(NodeState node) {
        return given.getOrDefault(node.nodeId(), 0);
    }
}
