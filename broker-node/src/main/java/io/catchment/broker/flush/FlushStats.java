package io.catchment.broker.flush;

import io.catchment.wal.Lane;
import java.util.Map;

/**
 * Where the flush stands, as of the last look (at most about a second old).
 *
 * @param oldestUnflushedMs by lane: age of the oldest data that this node is to flush and that is in no published object; 0 if there is none
 * @param unflushedBytes by lane: bytes of local extents that this node is to flush
 * @param unflushedExtents with data
 * @param stuckExtents that failed several times for a reason of their own: a person should look
 * @param hotBytes of flushed extents still on the local disk
 * @param doomedObjects in the cluster, waiting to be deleted
 * @param storeFailures uploads failed in a row; 0 while the object store answers, or nothing waits to be uploaded
 * @param stopped why the flush ended for good (this node's epoch is over), or empty
 */
public record FlushStats(
        Map<Lane, Long> oldestUnflushedMs,
        Map<Lane, Long> unflushedBytes,
        int unflushedExtents,
        int stuckExtents,
        long hotBytes,
        int doomedObjects,
        int storeFailures,
        String stopped) {

    public static final FlushStats NONE = new FlushStats(Map.of(), Map.of(), 0, 0, 0, 0, 0, "");

    public FlushStats {
        oldestUnflushedMs = Map.copyOf(oldestUnflushedMs);
        unflushedBytes = Map.copyOf(unflushedBytes);
    }
}
