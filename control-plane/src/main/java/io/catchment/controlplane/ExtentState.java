package io.catchment.controlplane;

import java.util.List;

/**
 * An extent as the state knows it.
 *
 * @param lane 0 urgent, 1 normal, 2 bulk
 * @param epoch the writer's node epoch, or the recovery epoch once RECOVERING
 * @param length final length in bytes once SEALED, else -1
 * @param holders who has all of a sealed extent
 */
public record ExtentState(
        long extentId,
        int writerNodeId,
        long writerEpoch,
        long epoch,
        int lane,
        List<Store> ensemble,
        int ackQuorum,
        Phase phase,
        long length,
        List<Store> holders) {

    public ExtentState {
        ensemble = List.copyOf(ensemble);
        holders = List.copyOf(holders);
    }

    /** A store, not a node (DESIGN §5). */
    public record Store(int nodeId, String storeId) {}

    public enum Phase {
        OPEN,
        RECOVERING,
        SEALED,
        FLUSHED
    }
}
