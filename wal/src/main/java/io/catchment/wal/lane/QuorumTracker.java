package io.catchment.wal.lane;

import java.util.Arrays;

/** The acknowledged length of an extent: the A-th largest durable length of its R replicas. Owned by the lane's loop. */
final class QuorumTracker {
    private final long[] durable;
    private final int ackQuorum;
    private final long[] sorted;

    QuorumTracker(int replicas, int ackQuorum) {
        this.durable = new long[replicas];
        this.ackQuorum = ackQuorum;
        this.sorted = new long[replicas];
    }

    /** A replica's durable length only grows (W3). */
    void update(int replica, long length) {
        if (length < durable[replica]) {
            throw new IllegalStateException("replica " + replica + " answered durable length " + length + " after "
                    + durable[replica] + " (W3)");
        }
        durable[replica] = length;
    }

    long acknowledged() {
        if (durable.length == 1) {
            return durable[0];
        }
        System.arraycopy(durable, 0, sorted, 0, durable.length);
        Arrays.sort(sorted);
        return sorted[sorted.length - ackQuorum];
    }

    long durable(int replica) {
        return durable[replica];
    }
}
