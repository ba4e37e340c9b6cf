package io.catchment.wal.lane;

import io.catchment.wal.StoreRef;
import io.catchment.wal.replica.Replica;
import java.util.ArrayDeque;
import java.util.Deque;

/** How far one replica of an open extent is. Owned by the lane's loop. */
final class ReplicaCursor {
    final Replica replica;
    /** Sent and not answered, oldest first. */
    private final Deque<EncodedGroup> unanswered = new ArrayDeque<>();

    private long lagBytes;
    private String failure = "";

    ReplicaCursor(Replica replica) {
        this.replica = replica;
    }

    StoreRef store() {
        return replica.store();
    }

    /** It gets no more groups of this extent. */
    void fail(String reason) {
        failure = reason.isEmpty() ? "unknown" : reason;
    }

    boolean failed() {
        return !failure.isEmpty();
    }

    String failure() {
        return failure;
    }

    void sent(EncodedGroup group) {
        unanswered.add(group);
        lagBytes += group.memoryBytes();
    }

    void answered(EncodedGroup group) {
        if (!unanswered.remove(group)) {
            throw new IllegalStateException("an answer of " + store() + " to a group that was not sent to it");
        }
        lagBytes -= group.memoryBytes();
    }

    boolean drained() {
        return unanswered.isEmpty();
    }

    /** Memory that is kept because this replica has not answered. */
    long lagBytes() {
        return lagBytes;
    }

    /** How long the oldest group waits for its answer, 0 if none does. */
    long lagNanos(long now) {
        EncodedGroup oldest = unanswered.peek();
        return oldest == null ? 0 : now - oldest.sentNanos;
    }
}
