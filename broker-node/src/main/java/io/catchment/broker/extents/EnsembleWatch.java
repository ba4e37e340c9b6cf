package io.catchment.broker.extents;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.NodeState;
import io.catchment.wal.StoreRef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Tells this node's lanes, whenever nodes come or go, how many copies their extents can have, which stores have begun anew, and which no
 * extent should lie on any more: those of other nodes that are drained, which one that stops in an orderly way is too, or fenced. Owned by
 * the control plane's thread.
 */
public final class EnsembleWatch {
    private static final String WAL = "wal";

    /** Who writes extents; see {@link io.catchment.wal.node.LocalWal#storesChanged}. */
    @FunctionalInterface
    public interface Lanes {
        void storesChanged(int copies, Set<StoreRef> fresh, Set<StoreRef> leaving);
    }

    private final int nodeId;
    private final int replicas;
    private final int ackQuorum;
    private final Lanes lanes;
    private final Map<StoreRef, Long> epochs = new HashMap<>();
    private Set<StoreRef> leaving = Set.of();
    private volatile int copies = -1;

    private EnsembleWatch(int nodeId, int replicas, int ackQuorum, Lanes lanes) {
        this.nodeId = nodeId;
        this.replicas = replicas;
        this.ackQuorum = ackQuorum;
        this.lanes = lanes;
    }

    public static EnsembleWatch begin(ControlPlane controlPlane, int nodeId, int replicas, int ackQuorum, Lanes lanes) {
        EnsembleWatch watch = new EnsembleWatch(nodeId, replicas, ackQuorum, lanes);
        controlPlane.subscribe((delta, image) -> {
            if (delta.nodesChanged()) {
                watch.look(image);
            }
        });
        return watch;
    }

    /** That an extent which is begun now can have; -1 until that is known. From any thread. */
    public int copies() {
        return copies;
    }

    private void look(ClusterImage image) {
        Set<StoreRef> fresh = new HashSet<>();
        Set<StoreRef> going = new HashSet<>();
        int stores = 0;
        for (NodeState node : image.nodes()) {
            if (!node.has(WAL)) {
                continue;
            }
            StoreRef store = new StoreRef(node.nodeId(), node.storeId());
            if (node.takesMore()) {
                stores++;
                Long before = epochs.put(store, node.epoch());
                if (before == null || before != node.epoch()) {
                    fresh.add(store);
                }
            } else if (node.nodeId() != nodeId) {
                going.add(store);
            }
        }
        if (stores < ackQuorum) {
            // Placement falls back on those that are drained: a new extent would be no better
            going.clear();
        }
        int possible = Math.min(replicas, stores);
        if (possible != copies || !fresh.isEmpty() || !going.equals(leaving)) {
            copies = possible;
            leaving = going;
            lanes.storesChanged(possible, fresh, going);
        }
    }
}
