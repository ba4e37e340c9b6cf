package io.catchment.wal.lane;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Replica;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An extent of this lane from its creation until it is sealed. Owned by the lane's loop. */
final class OpenExtent {
    final ExtentDescriptor descriptor;
    final List<ReplicaCursor> replicas;
    final QuorumTracker tracker;

    /** End of what was sent to the replicas. */
    long position = ExtentHeader.BYTES;
    /** Whether it has more than no-ops, which are nobody's data. */
    boolean holdsFrames;

    private final BitSet givenUp = new BitSet();
    private String failure = "";
    boolean rollDueTold;
    Loop.@Nullable Timer ageTimer;
    Loop.@Nullable Timer rollTimer;
    private @Nullable Runnable whenDrained;

    /** @param replicas of the descriptor's ensemble, in its order */
    OpenExtent(ExtentDescriptor descriptor, List<Replica> replicas) {
        this.descriptor = descriptor;
        this.replicas = replicas.stream().map(ReplicaCursor::new).toList();
        this.tracker = new QuorumTracker(replicas.size(), descriptor.ackQuorum());
    }

    long id() {
        return descriptor.extentId();
    }

    boolean replicated() {
        return descriptor.ensemble().size() > 1;
    }

    void replicaFailed(int replica, String reason) {
        replicas.get(replica).fail(reason);
        failure = reason;
        drainedMaybe();
    }

    /** Why the last replica that failed did so. */
    String failure() {
        return failure;
    }

    boolean anyFailed() {
        return !failure.isEmpty();
    }

    boolean quorumLost() {
        int healthy = 0;
        for (ReplicaCursor replica : replicas) {
            healthy += replica.failed() ? 0 : 1;
        }
        return healthy < descriptor.ackQuorum();
    }

    /** Final length if it ends where it is acknowledged. */
    long acknowledgedLength() {
        return holdsFrames ? tracker.acknowledged() : 0;
    }

    /** Stores known to have all bytes up to a length; of an extent without frames each has all. */
    List<StoreRef> holders(long length) {
        if (length == 0) {
            return descriptor.ensemble();
        }
        List<StoreRef> holders = new ArrayList<>();
        for (int i = 0; i < replicas.size(); i++) {
            if (holds(i, length)) {
                holders.add(replicas.get(i).store());
            }
        }
        return holders;
    }

    boolean holds(int replica, long length) {
        return tracker.durable(replica) >= length && !givenUp.get(replica);
    }

    /** No holder any more of an extent that ends, if an ack quorum of others in good health has all of it. Answers whether so. */
    boolean giveUp(int replica, long length) {
        int others = 0;
        for (int i = 0; i < replicas.size(); i++) {
            others += i != replica && !replicas.get(i).failed() && holds(i, length) ? 1 : 0;
        }
        givenUp.set(replica, others >= descriptor.ackQuorum());
        return isGivenUp(replica);
    }

    boolean isGivenUp(int replica) {
        return givenUp.get(replica);
    }

    /** Runs once every replica that has not failed answered all it was sent. */
    void onceDrained(Runnable action) {
        whenDrained = action;
        drainedMaybe();
    }

    void drainedMaybe() {
        Runnable action = whenDrained;
        if (action != null && replicas.stream().allMatch(replica -> replica.failed() || replica.drained())) {
            whenDrained = null;
            action.run();
        }
    }

    /** Replicas that still owe answers are left behind. */
    void stopWaiting() {
        for (int i = 0; i < replicas.size(); i++) {
            if (!replicas.get(i).failed() && !replicas.get(i).drained()) {
                replicas.get(i).fail("it was too slow when extent " + id() + " was sealed");
            }
        }
        drainedMaybe();
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
