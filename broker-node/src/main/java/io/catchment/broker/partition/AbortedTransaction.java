package io.catchment.broker.partition;

/**
 * A transaction whose records in one partition must not be seen by readers of committed records.
 *
 * @param firstOffset of its first record
 * @param lastOffset of the marker that aborted it
 * @param lastStableOffset of the partition once it was aborted: all transactions that began before are decided
 */
public record AbortedTransaction(long producerId, long firstOffset, long lastOffset, long lastStableOffset) {
    boolean touches(long fromOffset, long toOffset) {
        return lastOffset >= fromOffset && firstOffset < toOffset;
    }
}
