package io.catchment.broker.share.partition;

import io.catchment.broker.loop.SerialLoop;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.share.acknowledge.ShareAcknowledgementBatch;
import org.apache.kafka.server.share.fetch.RecordState;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition as one share group consumes it, for as long as this node owns it in one leader epoch (KIP-932). Owned by the share loop.
 *
 * <p>A record is available, then acquired by a member for some time, then acknowledged or archived, or available again: when the member
 * releases it, leaves, or says nothing in time. What a member acknowledges takes effect, and is answered, once the share coordinator knows it (S1):
 * else the next owner would deliver it again although the member was told that it is done with. What a record becomes because of time or a member's
 * loss takes effect at once, for nobody waits for it.
 */
public final class SharePartition {
    private static final Logger LOG = LoggerFactory.getLogger(SharePartition.class);
    /** After a write that failed. */
    private static final long TELL_START_MS = 1_000;

    private enum Phase {
        NEW,
        LOADING,
        ACTIVE,
        ENDED
    }

    private final String name;
    private final int leaderEpoch;
    private final StateStore store;
    private final Supplier<ShareLimits> limits;
    private final SerialLoop loop;
    private final Listener listener;
    private final StateWriter writer;
    private final LockTimer locks;

    private Phase phase = Phase.NEW;
    private @Nullable ApiException endedBy;
    private int stateEpoch;
    private RecordRuns runs = new RecordRuns(0);
    private boolean mayHaveAvailable;

    /** Hears on the share loop. */
    public interface Listener {
        /** Records may have become available, or there is room for more, or it can be used now. */
        void changed(SharePartition partition);

        /** It is of no use any more. */
        void ended(SharePartition partition);
    }

    /** Where a group begins that was never there. */
    @FunctionalInterface
    public interface Beginning {
        CompletionStage<Long> offset();
    }

    /** @param name for the log */
    public SharePartition(
            String name,
            int leaderEpoch,
            StateStore store,
            Supplier<ShareLimits> limits,
            SerialLoop loop,
            Listener listener) {
        this.name = name;
        this.leaderEpoch = leaderEpoch;
        this.store = store;
        this.limits = limits;
        this.loop = loop;
        this.listener = listener;
        this.writer = new StateWriter(leaderEpoch, store, loop, this::answered);
        this.locks = new LockTimer(loop, this::checkLocks);
    }

    public boolean isActive() {
        return phase == Phase.ACTIVE;
    }

    /** Why it is of no use any more; null while it is. */
    public @Nullable ApiException endedBy() {
        return endedBy;
    }

    public long startOffset() {
        return runs.startOffset();
    }

    /** Nothing is being written or waits to be. */
    public boolean isSettled() {
        return writer.isSettled(runs);
    }

    // ---- the beginning

    public void load(Beginning beginning) {
        if (phase != Phase.NEW) {
            throw new IllegalStateException(name + " was loaded before");
        }
        phase = Phase.LOADING;
        var unused = store.read(leaderEpoch)
                .thenCompose(stored -> stored.startOffset() >= 0
                        ? CompletableFuture.completedFuture(stored)
                        : beginning.offset().thenApply(offset -> begun(stored, offset)))
                .whenComplete((stored, failure) -> loop.execute(() -> loaded(stored, failure)));
    }

    private static StateStore.Stored begun(StateStore.Stored stored, long offset) {
        return new StateStore.Stored(stored.stateEpoch(), offset, stored.batches());
    }

    private void loaded(StateStore.@Nullable Stored stored, @Nullable Throwable failure) {
        if (phase != Phase.LOADING) {
            return;
        }
        if (stored == null) {
            end(StateWriter.exception(failure));
            return;
        }
        stateEpoch = stored.stateEpoch();
        try {
            runs = RecordRuns.of(stored);
        } catch (IllegalArgumentException nonsense) {
            LOG.error("{}: its stored state makes no sense: {}", name, nonsense.getMessage());
            end(Errors.UNKNOWN_SERVER_ERROR.exception("The stored state of " + name + " makes no sense"));
            return;
        }
        mayHaveAvailable = true;
        phase = Phase.ACTIVE;
        // So that the next owner begins there too, whatever its log's end is by then
        writer.startIsNews();
        write();
        listener.changed(this);
    }

    /** Ends its use, for good. What is not known to the coordinator is not answered as done. */
    public void end(ApiException why) {
        if (phase == Phase.ENDED) {
            return;
        }
        phase = Phase.ENDED;
        endedBy = why;
        writer.takeWaiting().forEach(each -> each.completeExceptionally(why));
        listener.ended(this);
    }

    // ---- delivery

    /** From where a member's next records are to be read; -1 when there are none for now: too many are under way. */
    public long fetchOffset() {
        if (phase != Phase.ACTIVE) {
            return -1;
        }
        if (mayHaveAvailable) {
            for (RecordRun run : runs.all()) {
                if (run.isAvailable()) {
                    return run.firstOffset();
                }
            }
            mayHaveAvailable = false;
        }
        return runs.size() < limits.get().inFlightMax() ? runs.nextOffset() : -1;
    }

    /** Retention or a user has deleted what was below the offset. */
    public void logStartsAt(long offset) {
        if (phase == Phase.ACTIVE && runs.startAt(offset)) {
            writer.startIsNews();
            settled();
        }
    }

    /** Gives a member of what was found, in offset order. */
    public List<Acquired> acquire(String member, Appetite appetite, Found found) {
        if (phase != Phase.ACTIVE || found.fromOffset() > runs.nextOffset()) {
            return List.of();
        }
        ShareLimits now = limits.get();
        Taking taking = new Taking(runs, member, appetite, nowMs() + now.lockMs(), now.inFlightMax() - runs.size());
        long offset = found.fromOffset();
        for (Found.Span span : found.spans()) {
            if (!taking.wants(span)) {
                break;
            }
            if (span.firstOffset() > offset) {
                archive(offset, span.firstOffset() - 1);
            }
            if (span.deliverable()) {
                taking.take(span);
            } else {
                archive(span.firstOffset(), span.lastOffset());
            }
            offset = Math.max(offset, span.lastOffset() + 1);
        }
        settled();
        if (!taking.acquired().isEmpty()) {
            locks.lookIn(now.lockMs());
        }
        return taking.acquired();
    }

    /** Nothing there is to be delivered, to anybody. */
    private void archive(long firstOffset, long lastOffset) {
        for (RecordRun run : runs.between(firstOffset, lastOffset)) {
            if (run.isAvailable()) {
                run.becomeAtOnce(RecordState.ARCHIVED);
            }
        }
        if (lastOffset >= runs.nextOffset()) {
            RecordRun run = runs.append(lastOffset, RecordState.ARCHIVED, 0);
            run.knowledge = RecordRun.Knowledge.TO_BE_WRITTEN;
        }
    }

    // ---- acknowledgement

    /** All of it or nothing. Fails with what the member is to be told. */
    public CompletionStage<Void> acknowledge(String member, List<ShareAcknowledgementBatch> batches) {
        if (phase != Phase.ACTIVE) {
            ApiException why = endedBy;
            return CompletableFuture.failedFuture(
                    why == null ? Errors.NOT_LEADER_OR_FOLLOWER.exception(name + " is not loaded") : why);
        }
        ShareLimits now = limits.get();
        Decisions decisions;
        try {
            decisions = Decisions.of(name, member, runs, now, batches);
        } catch (ApiException refused) {
            runs.join();
            return CompletableFuture.failedFuture(refused);
        }
        long untilMs = nowMs() + now.lockMs();
        decisions.renewed().forEach(run -> run.lockedUntilMs = untilMs);
        if (decisions.decided().isEmpty()) {
            runs.join();
            return CompletableFuture.completedFuture(null);
        }
        decisions.decided().forEach(run -> run.knowledge = RecordRun.Knowledge.TO_BE_WRITTEN);
        CompletableFuture<Void> known = writer.nextAnswer();
        runs.join();
        write();
        return known;
    }

    // ---- what is given back

    /** A member is gone. */
    public void release(String member) {
        if (phase == Phase.ACTIVE) {
            giveBack(run -> run.isAcquiredBy(member));
        }
    }

    private void giveBack(Predicate<RecordRun> which) {
        int deliveriesMax = limits.get().deliveriesMax();
        boolean any = false;
        for (RecordRun run : runs.all()) {
            if (which.test(run)) {
                run.becomeAtOnce(run.afterVainDelivery(deliveriesMax));
                any = true;
            }
        }
        if (any) {
            mayHaveAvailable = true;
            settled();
            listener.changed(this);
        }
    }

    /** After a change that nobody waits for. */
    private void settled() {
        if (runs.advance()) {
            writer.startIsNews();
        }
        runs.join();
        write();
    }

    private void checkLocks() {
        if (phase != Phase.ACTIVE) {
            return;
        }
        giveBackExpired();
        long next = Long.MAX_VALUE;
        for (RecordRun run : runs.all()) {
            if (run.isAcquired()) {
                next = Math.min(next, run.lockedUntilMs);
            }
        }
        if (next != Long.MAX_VALUE) {
            locks.lookIn(next - nowMs());
        }
    }

    private void giveBackExpired() {
        long nowMs = nowMs();
        giveBack(run -> run.isAcquired() && run.lockedUntilMs <= nowMs);
    }

    private long nowMs() {
        return TimeUnit.NANOSECONDS.toMillis(loop.nanoTime());
    }

    // ---- the coordinator's knowledge

    private void write() {
        if (phase == Phase.ACTIVE) {
            writer.write(runs, stateEpoch);
        }
    }

    private void answered(@Nullable ApiException failure, List<CompletableFuture<Void>> answers) {
        if (phase == Phase.ACTIVE) {
            StateWriter.conclude(runs, failure == null);
            mayHaveAvailable = true;
        }
        if (failure == null) {
            answers.forEach(each -> each.complete(null));
        } else {
            LOG.warn("{}: what became of its records could not be stored: {}", name, failure.toString());
            answers.forEach(each -> each.completeExceptionally(failure));
            if (isFinal(failure)) {
                end(failure);
            } else if (phase == Phase.ACTIVE) {
                // What was being decided on is locked again, and the look that was due for it may be over
                checkLocks();
                loop.schedule(this::tellStart, TELL_START_MS);
            }
        }
        if (phase == Phase.ACTIVE) {
            write();
            listener.changed(this);
        }
    }

    /** Where the group began may not be known yet: the next owner would let it begin at the end that the log has then. */
    private void tellStart() {
        if (phase == Phase.ACTIVE) {
            writer.startIsNews();
            write();
        }
    }

    /** Somebody else owns it, or the group has begun anew elsewhere, or is gone. */
    private static boolean isFinal(ApiException failure) {
        return switch (Errors.forException(failure)) {
            case NOT_LEADER_OR_FOLLOWER,
                    FENCED_LEADER_EPOCH,
                    FENCED_STATE_EPOCH,
                    GROUP_ID_NOT_FOUND,
                    INVALID_REQUEST,
                    UNKNOWN_TOPIC_OR_PARTITION -> true;
            default -> false;
        };
    }

    @Override
    public String toString() {
        return name + " " + phase + " " + runs;
    }
}
