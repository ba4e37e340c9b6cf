package io.catchment.broker.share.partition;

import java.util.Objects;
import org.apache.kafka.server.share.fetch.RecordState;
import org.jspecify.annotations.Nullable;

/** Consecutive offsets that fare alike. Owned by its {@link RecordRuns}. */
final class RecordRun {
    /** How far the share coordinator knows of it. */
    enum Knowledge {
        KNOWN,
        TO_BE_WRITTEN,
        BEING_WRITTEN
    }

    private final long firstOffset;
    private long lastOffset;
    RecordState state;
    /** How often it was delivered, the present delivery included. */
    int deliveryCount;
    /** Who has it while it is acquired, else null. */
    @Nullable
    String member;

    /** While it is acquired: until when, on the loop's clock. */
    long lockedUntilMs;
    /** What it becomes when the coordinator knows; nothing else happens to it meanwhile. */
    @Nullable
    RecordState target;

    Knowledge knowledge = Knowledge.KNOWN;

    RecordRun(long firstOffset, long lastOffset, RecordState state, int deliveryCount) {
        if (lastOffset < firstOffset || deliveryCount < 0) {
            throw new IllegalArgumentException(
                    "offsets " + firstOffset + " to " + lastOffset + ", delivered " + deliveryCount);
        }
        this.firstOffset = firstOffset;
        this.lastOffset = lastOffset;
        this.state = state;
        this.deliveryCount = deliveryCount;
    }

    long firstOffset() {
        return firstOffset;
    }

    long lastOffset() {
        return lastOffset;
    }

    long size() {
        return lastOffset - firstOffset + 1;
    }

    boolean isAvailable() {
        return state == RecordState.AVAILABLE;
    }

    /** Nobody decides on it any more but the one who has it. */
    boolean isAcquired() {
        return state == RecordState.ACQUIRED && target == null;
    }

    boolean isAcquiredBy(String who) {
        return isAcquired() && who.equals(member);
    }

    boolean isDone() {
        return isFinal(state);
    }

    /** Done once what is being written is known. */
    boolean willBeDone() {
        RecordState next = target;
        return isFinal(next == null ? state : next);
    }

    private static boolean isFinal(RecordState state) {
        return state == RecordState.ACKNOWLEDGED || state == RecordState.ARCHIVED;
    }

    /** What becomes of it when whoever has it is not done with it. */
    RecordState afterVainDelivery(int deliveriesMax) {
        return deliveryCount >= deliveriesMax ? RecordState.ARCHIVED : RecordState.AVAILABLE;
    }

    void acquire(String who, long untilMs) {
        state = RecordState.ACQUIRED;
        deliveryCount++;
        member = who;
        lockedUntilMs = untilMs;
    }

    /** It is nobody's any more. */
    void become(RecordState next) {
        state = next;
        member = null;
        target = null;
        lockedUntilMs = 0;
    }

    /** For a reason that nobody waits for the coordinator to know of. */
    void becomeAtOnce(RecordState next) {
        become(next);
        knowledge = Knowledge.TO_BE_WRITTEN;
    }

    /** Cuts off and returns the part from the offset on, which lies inside. */
    RecordRun splitAt(long offset) {
        RecordRun rest = new RecordRun(offset, lastOffset, state, deliveryCount);
        rest.member = member;
        rest.lockedUntilMs = lockedUntilMs;
        rest.target = target;
        rest.knowledge = knowledge;
        lastOffset = offset - 1;
        return rest;
    }

    boolean continues(RecordRun next) {
        return next.firstOffset == lastOffset + 1
                && next.state == state
                && next.deliveryCount == deliveryCount
                && next.target == target
                && next.knowledge == knowledge
                && next.lockedUntilMs == lockedUntilMs
                && Objects.equals(next.member, member);
    }

    void extendBy(RecordRun next) {
        lastOffset = next.lastOffset;
    }

    @Override
    public String toString() {
        return firstOffset + "-" + lastOffset + " " + state + (target == null ? "" : ">" + target) + " " + deliveryCount
                + "x" + (member == null ? "" : " " + member);
    }
}
