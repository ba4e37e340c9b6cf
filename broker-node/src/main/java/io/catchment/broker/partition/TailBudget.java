package io.catchment.broker.partition;

import java.util.ArrayDeque;

/**
 * Bounds the tails of all partitions of one event loop, oldest batch first whatever its partition, so that the network
 * buffers behind them are freed in the order they came. Owned by that event loop.
 */
final class TailBudget {
    private final long bytesMax;
    /** One element for each cached batch, in the order they were added. */
    private final ArrayDeque<Tail> order = new ArrayDeque<>();

    private long bytes;

    TailBudget(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    void added(Tail tail, int batchBytes) {
        order.addLast(tail);
        bytes += batchBytes;
        while (bytes > bytesMax && !order.isEmpty()) {
            bytes -= order.removeFirst().evictOldest();
        }
    }

    /** The tail was closed; its elements in the order find nothing to evict. */
    void closed(long freedBytes) {
        bytes -= freedBytes;
    }

    long bytes() {
        return bytes;
    }
}
