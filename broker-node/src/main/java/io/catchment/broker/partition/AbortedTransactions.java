package io.catchment.broker.partition;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * The newest aborted transactions of one partition, in the order of their markers: all whose marker lies at or after
 * {@link #knownFrom}. Who reads older records finds the markers in the log itself. Written by the partition's event loop, read from any
 * thread; guarded by its own lock.
 */
final class AbortedTransactions {
    /** 40 KB of heap, 32 KB of checkpoint. */
    static final int KEPT_MAX = 1024;

    private final ArrayDeque<AbortedTransaction> newest = new ArrayDeque<>();
    private long knownFrom;

    synchronized void add(AbortedTransaction aborted) {
        newest.addLast(aborted);
        if (newest.size() > KEPT_MAX) {
            knownFrom = newest.removeFirst().lastOffset() + 1;
        }
    }

    /** Nothing is known of markers before the offset. */
    synchronized void knownFrom(long offset) {
        knownFrom = offset;
    }

    synchronized long knownFrom() {
        return knownFrom;
    }

    synchronized List<AbortedTransaction> all() {
        return List.copyOf(newest);
    }

    synchronized boolean isEmpty() {
        return newest.isEmpty();
    }

    /** Those with records in the stretch, as far as their markers are known here. */
    synchronized List<AbortedTransaction> between(long fromOffset, long toOffset) {
        if (newest.isEmpty() || newest.getLast().lastOffset() < fromOffset) {
            return List.of();
        }
        List<AbortedTransaction> found = new ArrayList<>();
        for (AbortedTransaction aborted : newest) {
            if (aborted.touches(fromOffset, toOffset)) {
                found.add(aborted);
            }
            if (aborted.lastOffset() >= fromOffset && aborted.lastStableOffset() >= toOffset) {
                break;
            }
        }
        return found;
    }
}
