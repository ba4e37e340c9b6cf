package io.catchment.wal;

import java.util.Map;

/**
 * A point-in-time view for metrics, readiness and the pressure forecast.
 *
 * @param diskUsableBytes what the file system still has, plus recycled files
 * @param bytesHeld bytes of all local extents that are not deleted
 * @param indexBytes memory of the frame indexes
 * @param secondsUntilFull at the present append rate minus deletions; Double.POSITIVE_INFINITY when it is not filling
 */
public record WalStats(
        Map<Lane, LaneStats> lanes,
        int openExtents,
        int sealedExtents,
        int recycledFiles,
        long bytesHeld,
        long diskUsableBytes,
        long indexBytes,
        double secondsUntilFull) {

    /**
     * @param appendedBytes since start, framing included
     * @param syncs group commits since start
     * @param fault empty while the lane accepts
     */
    public record LaneStats(
            boolean accepting,
            String fault,
            long appendedBytes,
            long appendedFrames,
            long syncs,
            long syncNanosTotal,
            long queuedBytes) {}
}
