package io.catchment.wal;

import java.util.List;

/**
 * An extent as the control plane created it.
 *
 * @param writerEpoch node epoch of the writer
 * @param ackQuorum A: how many stores must have a byte synced before it is acknowledged
 */
public record ExtentDescriptor(
        long extentId, int writerNodeId, long writerEpoch, Lane lane, List<StoreRef> ensemble, int ackQuorum) {

    public ExtentDescriptor {
        ensemble = List.copyOf(ensemble);
        if (ackQuorum < 1 || ackQuorum > ensemble.size()) {
            throw new IllegalArgumentException(
                    "extent " + extentId + ": ack quorum " + ackQuorum + " of " + ensemble.size() + " stores");
        }
    }
}
