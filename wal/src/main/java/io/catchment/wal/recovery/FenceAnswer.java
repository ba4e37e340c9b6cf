package io.catchment.wal.recovery;

import io.catchment.wal.StoreRef;
import io.catchment.wal.replica.Replica;
import org.jspecify.annotations.Nullable;

/**
 * What one original store said to a fence.
 *
 * @param replica null if the store is lost
 * @param length valid and durable there; after a failure what of it is still readable
 * @param failure empty if the answer counts
 * @param superseded the store knows a later recovery
 * @param silent it may have anything: nobody waited for its answer any longer
 */
record FenceAnswer(
        StoreRef store, @Nullable Replica replica, long length, String failure, boolean superseded, boolean silent) {
    boolean valid() {
        return failure.isEmpty();
    }
}
