package io.catchment.broker.read;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.NodeState;
import io.catchment.wal.StoreRef;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Which other stores to ask for an extent, best first: those that answered lately, of live nodes; while the extent is open its writer's own
 * (it knows first what is acknowledged); then those in this node's zone. Thread-safe.
 */
final class HolderOrder {
    private static final long SUSPECT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final StoreRef local;
    private final LongSupplier nanoTime;
    /** Stores that failed lately, each until when it comes last. */
    private final Map<StoreRef, Long> suspects = new ConcurrentHashMap<>();

    HolderOrder(StoreRef local, LongSupplier nanoTime) {
        this.local = local;
        this.nanoTime = nanoTime;
    }

    /** Without this node's own store. */
    List<StoreRef> of(ClusterImage image, ExtentState extent) {
        List<StoreRef> stores = new ArrayList<>();
        for (ExtentState.Store store : extent.isSealed() ? extent.holders() : extent.ensemble()) {
            StoreRef holder = new StoreRef(store.nodeId(), store.storeId());
            if (!holder.equals(local)) {
                stores.add(holder);
            }
        }
        if (stores.size() > 1) {
            String zone = image.node(local.nodeId()).map(NodeState::zone).orElse("");
            stores.sort(Comparator.comparingInt(holder -> badness(image, extent, holder, zone)));
        }
        return stores;
    }

    private int badness(ClusterImage image, ExtentState extent, StoreRef holder, String zone) {
        Optional<NodeState> node = image.node(holder.nodeId());
        int badness = 0;
        if (node.filter(each -> each.zone().equals(zone)).isEmpty()) {
            badness += 1;
        }
        if (!extent.isSealed() && holder.nodeId() != extent.writerNodeId()) {
            badness += 2;
        }
        if (node.filter(each -> each.isLive() && each.storeId().equals(holder.storeId()))
                .isEmpty()) {
            badness += 4;
        }
        return isSuspect(holder) ? badness + 8 : badness;
    }

    private boolean isSuspect(StoreRef holder) {
        Long until = suspects.get(holder);
        return until != null && until - nanoTime.getAsLong() > 0;
    }

    void failed(StoreRef holder) {
        suspects.put(holder, nanoTime.getAsLong() + SUSPECT_NANOS);
    }

    void answered(StoreRef holder) {
        if (!suspects.isEmpty()) {
            suspects.remove(holder);
        }
    }
}
