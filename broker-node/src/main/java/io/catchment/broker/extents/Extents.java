package io.catchment.broker.extents;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.NodeState;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** From the control plane's records to the WAL's and back, and what an image says of extents and stores. Pure. */
public final class Extents {
    private Extents() {}

    public static ExtentDescriptor descriptor(ExtentState extent) {
        return new ExtentDescriptor(
                extent.extentId(),
                extent.writerNodeId(),
                extent.writerEpoch(),
                Lane.of(extent.lane()),
                refs(extent.ensemble()),
                extent.ackQuorum());
    }

    public static StoreRef ref(ExtentState.Store store) {
        return new StoreRef(store.nodeId(), store.storeId());
    }

    public static List<StoreRef> refs(Collection<ExtentState.Store> stores) {
        return stores.stream().map(Extents::ref).toList();
    }

    public static ExtentState.Store store(StoreRef ref) {
        return new ExtentState.Store(ref.nodeId(), ref.storeId());
    }

    static boolean isRecoveredBy(ExtentState extent, int nodeId, long nodeEpoch) {
        return extent.phase() == ExtentState.Phase.RECOVERING
                && new ExtentState.Recoverer(nodeId, nodeEpoch).equals(extent.recoverer());
    }

    static boolean isLive(ClusterImage image, StoreRef store) {
        return image.node(store.nodeId())
                .filter(node -> node.isLive() && node.storeId().equals(store.storeId()))
                .isPresent();
    }

    /** Its node was removed, or has come back with another one. A node that is only away may bring it back. */
    static boolean isGone(ClusterImage image, StoreRef store) {
        return image.node(store.nodeId())
                .filter(node -> node.storeId().equals(store.storeId()))
                .isEmpty();
    }

    static boolean areGone(ClusterImage image, Collection<ExtentState.Store> stores) {
        return stores.stream().allMatch(store -> isGone(image, ref(store)));
    }

    /**
     * Extents that other nodes write to a node's present store, or that are to be recovered from there. While there are any that store is
     * needed: its end would cost them a copy.
     */
    public static int openElsewhere(ClusterImage image, int nodeId) {
        Optional<ExtentState.Store> here =
                image.node(nodeId).map(node -> new ExtentState.Store(nodeId, node.storeId()));
        return (int) image.extents().stream()
                .filter(extent -> !extent.isSealed() && extent.writerNodeId() != nodeId)
                .filter(extent -> here.map(extent.ensemble()::contains).orElse(false))
                .count();
    }

    /** Who speaks for an extent that no store is left of: its writer's node, else the live node with the lowest id. */
    static boolean isSpokenForBy(ClusterImage image, ExtentState extent, int nodeId) {
        boolean writerLives =
                image.node(extent.writerNodeId()).filter(NodeState::isLive).isPresent();
        int speaker = writerLives
                ? extent.writerNodeId()
                : image.nodes().stream()
                        .filter(NodeState::isLive)
                        .mapToInt(NodeState::nodeId)
                        .min()
                        .orElse(-1);
        return speaker == nodeId;
    }
}
