package io.catchment.wal.lane;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Replica;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An extent of this lane from its creation until it is sealed. Owned by the lane's loop. */
final class OpenExtent {
    final ExtentDescriptor descriptor;
    final List<Replica> replicas;
    final QuorumTracker tracker;
    private final boolean[] failed;

    /** End of what was sent to the replicas. */
    long position = ExtentHeader.BYTES;

    private String failure = "";
    boolean rollDueTold;
    Loop.@Nullable Timer ageTimer;
    Loop.@Nullable Timer rollTimer;

    /** @param replicas of the descriptor's ensemble, in its order */
    OpenExtent(ExtentDescriptor descriptor, List<Replica> replicas) {
        this.descriptor = descriptor;
        this.replicas = List.copyOf(replicas);
        this.tracker = new QuorumTracker(replicas.size(), descriptor.ackQuorum());
        this.failed = new boolean[replicas.size()];
    }

    long id() {
        return descriptor.extentId();
    }

    boolean isEmpty() {
        return position == ExtentHeader.BYTES;
    }

    void replicaFailed(int replica, String reason) {
        failed[replica] = true;
        failure = reason;
    }

    /** Why the last replica that failed did so. */
    String failure() {
        return failure;
    }

    boolean anyFailed() {
        for (boolean one : failed) {
            if (one) {
                return true;
            }
        }
        return false;
    }

    boolean quorumLost() {
        int healthy = 0;
        for (boolean one : failed) {
            healthy += one ? 0 : 1;
        }
        return healthy < descriptor.ackQuorum();
    }

    /** Stores known to have all bytes up to a length. */
    List<StoreRef> holders(long length) {
        List<StoreRef> holders = new ArrayList<>();
        for (int i = 0; i < replicas.size(); i++) {
            if (tracker.durable(i) >= length) {
                holders.add(replicas.get(i).store());
            }
        }
        return holders;
    }

    void cancelTimers() {
        if (ageTimer != null) {
            ageTimer.cancel();
        }
        if (rollTimer != null) {
            rollTimer.cancel();
        }
    }
}
