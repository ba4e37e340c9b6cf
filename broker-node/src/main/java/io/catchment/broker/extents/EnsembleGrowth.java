package io.catchment.broker.extents;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.NodeState;
import io.catchment.wal.StoreRef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.ObjIntConsumer;

/**
 * Tells this node's lanes how many copies their extents can have, and which stores have begun anew, whenever nodes come or go. Owned by
 * the control plane's thread.
 */
public final class EnsembleGrowth {
    private static final String WAL = "wal";

    private final int replicas;
    private final ObjIntConsumer<Set<StoreRef>> lanes;
    private final Map<StoreRef, Long> epochs = new HashMap<>();
    private volatile int copies = -1;

    private EnsembleGrowth(int replicas, ObjIntConsumer<Set<StoreRef>> lanes) {
        this.replicas = replicas;
        this.lanes = lanes;
    }

    /** @param lanes hears of stores that have begun anew and of the copies an extent can have */
    public static EnsembleGrowth watch(ControlPlane controlPlane, int replicas, ObjIntConsumer<Set<StoreRef>> lanes) {
        EnsembleGrowth growth = new EnsembleGrowth(replicas, lanes);
        controlPlane.subscribe((delta, image) -> {
            if (delta.nodesChanged()) {
                growth.look(image);
            }
        });
        return growth;
    }

    /** That an extent which is begun now can have; -1 until that is known. From any thread. */
    public int copies() {
        return copies;
    }

    private void look(ClusterImage image) {
        Set<StoreRef> fresh = new HashSet<>();
        int stores = 0;
        for (NodeState node : image.nodes()) {
            if (node.takesMore() && node.has(WAL)) {
                stores++;
                StoreRef store = new StoreRef(node.nodeId(), node.storeId());
                Long before = epochs.put(store, node.epoch());
                if (before == null || before != node.epoch()) {
                    fresh.add(store);
                }
            }
        }
        int possible = Math.min(replicas, stores);
        if (possible != copies || !fresh.isEmpty()) {
            copies = possible;
            lanes.accept(fresh, possible);
        }
    }
}
