package io.catchment.broker.share.partition;

import io.catchment.broker.loop.SerialLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidRecordStateException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.share.acknowledge.ShareAcknowledgementBatch;
import org.apache.kafka.server.share.fetch.RecordState;
import org.apache.kafka.server.share.persister.PersisterStateBatch;
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
 *
 * <p>One write to the coordinator is under way at a time. It tells how everything stands that changed since the last one, so what happens
 * meanwhile gathers for the next, and writes cannot overtake each other.
 */
public final class SharePartition {
    private static final Logger LOG = LoggerFactory.getLogger(SharePartition.class);
    /** Locks that end within this time of each other are looked at together. */
    private static final long LOCK_CHECK_MS_MIN = 20;

    private static final byte GAP = 0;
    private static final byte ACCEPT = 1;
    private static final byte RELEASE = 2;
    private static final byte REJECT = 3;
    private static final byte RENEW = 4;

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

    private Phase phase = Phase.NEW;
    private @Nullable ApiException endedBy;
    private int stateEpoch;
    private RecordRuns runs = new RecordRuns(0);
    private boolean mayHaveAvailable;
    private boolean startToBeWritten;
    private boolean writing;
    private List<CompletableFuture<Void>> acknowledging = new ArrayList<>();
    private boolean lockCheckDue;

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
        return !writing
                && !startToBeWritten
                && runs.all().stream().allMatch(run -> run.knowledge == RecordRun.Knowledge.KNOWN);
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
            end(exception(failure));
            return;
        }
        stateEpoch = stored.stateEpoch();
        runs = new RecordRuns(stored.startOffset());
        for (PersisterStateBatch batch : stored.batches()) {
            if (batch.firstOffset() < runs.nextOffset() || batch.lastOffset() < batch.firstOffset()) {
                LOG.error("{}: stored state {} does not follow offset {}", name, batch, runs.nextOffset());
                end(Errors.UNKNOWN_SERVER_ERROR.exception("The stored state of " + name + " makes no sense"));
                return;
            }
            if (batch.firstOffset() > runs.nextOffset()) {
                // Delivered to somebody who did not say what became of it: not stored
                runs.append(batch.firstOffset() - 1, RecordState.AVAILABLE, 0);
            }
            runs.append(batch.lastOffset(), state(batch), batch.deliveryCount());
        }
        runs.advance();
        mayHaveAvailable = true;
        phase = Phase.ACTIVE;
        // So that the next owner begins there too, whatever its log's end is by then
        startToBeWritten = true;
        write();
        listener.changed(this);
    }

    /** Kafka also knows records on their way to a queue for dead letters; here there is none. */
    private static RecordState state(PersisterStateBatch batch) {
        RecordState stored = RecordState.forId(batch.deliveryState());
        return stored == RecordState.ARCHIVING ? RecordState.ARCHIVED : stored;
    }

    /** Ends its use, for good. What is not known to the coordinator is not answered as done. */
    public void end(ApiException why) {
        if (phase == Phase.ENDED) {
            return;
        }
        phase = Phase.ENDED;
        endedBy = why;
        List<CompletableFuture<Void>> waiting = acknowledging;
        acknowledging = new ArrayList<>();
        waiting.forEach(each -> each.completeExceptionally(why));
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
            runs.advance();
            startToBeWritten = true;
        }
    }

    /** Gives a member of what was found, in offset order. */
    public List<Acquired> acquire(String member, Appetite appetite, Found found) {
        if (phase != Phase.ACTIVE || found.fromOffset() > runs.nextOffset()) {
            return List.of();
        }
        ShareLimits now = limits.get();
        Taking taking = new Taking(member, appetite, nowMs() + now.lockMs(), now.inFlightMax() - runs.size());
        long offset = found.fromOffset();
        for (Found.Span span : found.spans()) {
            if (!taking.wantsMore() || (span.firstOffset() >= runs.nextOffset() && !taking.mayBegin())) {
                break;
            }
            if (span.firstOffset() > offset) {
                archive(offset, span.firstOffset() - 1);
            }
            if (span.deliverable()) {
                taking.known(span);
                taking.fresh(span);
            } else {
                archive(span.firstOffset(), span.lastOffset());
            }
            offset = Math.max(offset, span.lastOffset() + 1);
        }
        settled();
        if (!taking.acquired.isEmpty()) {
            checkLocksIn(now.lockMs());
        }
        return taking.acquired;
    }

    /** What a member takes in one go. */
    private final class Taking {
        final List<Acquired> acquired = new ArrayList<>();
        private final String member;
        private final int batchSize;
        private final boolean strict;
        private final long lockedUntilMs;
        private long wanted;
        private long room;

        Taking(String member, Appetite appetite, long lockedUntilMs, long room) {
            this.member = member;
            this.batchSize = appetite.batchSize();
            this.strict = appetite.strict();
            this.lockedUntilMs = lockedUntilMs;
            this.wanted = appetite.recordsMax();
            this.room = room;
        }

        boolean wantsMore() {
            return wanted > 0;
        }

        boolean mayBegin() {
            return room > 0;
        }

        /** Of the span, what is under way and available again. */
        void known(Found.Span span) {
            for (RecordRun run : runs.between(span.firstOffset(), span.lastOffset())) {
                if (run.isAvailable() && wanted > 0) {
                    if (strict) {
                        runs.cutAt(run.firstOffset() + wanted);
                    }
                    take(run);
                }
            }
        }

        /** Of the span, what nobody had yet. */
        void fresh(Found.Span span) {
            long first = runs.nextOffset();
            long last = span.lastOffset();
            if (last < first || wanted <= 0 || room <= 0) {
                return;
            }
            if (strict) {
                last = Math.min(last, first + Math.min(wanted, room) - 1);
            }
            RecordRun run = runs.append(last, RecordState.AVAILABLE, 0);
            room -= run.size();
            take(run);
        }

        private void take(RecordRun run) {
            run.acquire(member, lockedUntilMs);
            wanted -= run.size();
            Acquired before = acquired.isEmpty() ? null : acquired.get(acquired.size() - 1);
            if (before != null
                    && before.lastOffset() + 1 == run.firstOffset()
                    && before.deliveryCount() == run.deliveryCount
                    && before.size() < batchSize) {
                acquired.set(
                        acquired.size() - 1,
                        new Acquired(before.firstOffset(), run.lastOffset(), before.deliveryCount()));
            } else {
                acquired.add(new Acquired(run.firstOffset(), run.lastOffset(), run.deliveryCount));
            }
        }
    }

    /** Nothing there is to be delivered, to anybody. */
    private void archive(long firstOffset, long lastOffset) {
        for (RecordRun run : runs.between(firstOffset, lastOffset)) {
            if (run.isAvailable()) {
                changeAtOnce(run, RecordState.ARCHIVED);
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
        List<RecordRun> decided = new ArrayList<>();
        List<RecordRun> renewed = new ArrayList<>();
        try {
            for (ShareAcknowledgementBatch batch : batches) {
                decide(member, batch, decided, renewed);
            }
        } catch (ApiException refused) {
            decided.forEach(run -> run.target = null);
            runs.join();
            return CompletableFuture.failedFuture(refused);
        }
        long untilMs = nowMs() + limits.get().lockMs();
        renewed.forEach(run -> run.lockedUntilMs = untilMs);
        if (decided.isEmpty()) {
            runs.join();
            return CompletableFuture.completedFuture(null);
        }
        decided.forEach(run -> run.knowledge = RecordRun.Knowledge.TO_BE_WRITTEN);
        CompletableFuture<Void> known = new CompletableFuture<>();
        acknowledging.add(known);
        runs.join();
        write();
        return known;
    }

    private void decide(
            String member, ShareAcknowledgementBatch batch, List<RecordRun> decided, List<RecordRun> renewed) {
        if (batch.lastOffset() >= runs.nextOffset()) {
            throw new InvalidRequestException("Offset " + batch.lastOffset() + " of " + name
                    + " was not delivered: acknowledged are offsets below " + runs.nextOffset());
        }
        List<Byte> types = batch.acknowledgeTypes();
        long first = batch.firstOffset();
        while (first <= batch.lastOffset()) {
            byte type = type(types, batch, first);
            long last = first;
            while (last < batch.lastOffset() && (types.size() == 1 || type(types, batch, last + 1) == type)) {
                last = types.size() == 1 ? batch.lastOffset() : last + 1;
            }
            decide(member, first, last, type, decided, renewed);
            first = last + 1;
        }
    }

    private static byte type(List<Byte> types, ShareAcknowledgementBatch batch, long offset) {
        return types.size() == 1 ? types.get(0) : types.get((int) (offset - batch.firstOffset()));
    }

    private void decide(
            String member, long first, long last, byte type, List<RecordRun> decided, List<RecordRun> renewed) {
        // What lies below the start was let go meanwhile: that is no fault of the member
        for (RecordRun run : runs.between(first, last)) {
            if (!run.isAcquiredBy(member)) {
                throw new InvalidRecordStateException(
                        "Member " + member + " does not have records " + run + " of " + name + " (any more)");
            }
            if (type == RENEW) {
                if (!limits.get().renewable()) {
                    throw new InvalidRequestException("Members of " + name + " may not renew their locks");
                }
                renewed.add(run);
            } else {
                run.target = target(run, type);
                decided.add(run);
            }
        }
    }

    private RecordState target(RecordRun run, byte type) {
        return switch (type) {
            case ACCEPT -> RecordState.ACKNOWLEDGED;
            case GAP, REJECT -> RecordState.ARCHIVED;
            case RELEASE -> nextState(run);
            default -> throw new InvalidRequestException("Invalid acknowledge type: " + type);
        };
    }

    /** Of a record that was delivered in vain. */
    private RecordState nextState(RecordRun run) {
        return run.deliveryCount >= limits.get().deliveriesMax() ? RecordState.ARCHIVED : RecordState.AVAILABLE;
    }

    // ---- what is given back

    /** A member is gone. */
    public void release(String member) {
        if (phase == Phase.ACTIVE) {
            giveBack(run -> run.isAcquiredBy(member));
        }
    }

    private void giveBack(Predicate<RecordRun> which) {
        boolean any = false;
        for (RecordRun run : runs.all()) {
            if (which.test(run)) {
                changeAtOnce(run, nextState(run));
                any = true;
            }
        }
        if (any) {
            mayHaveAvailable = true;
            settled();
            listener.changed(this);
        }
    }

    private static void changeAtOnce(RecordRun run, RecordState next) {
        run.become(next);
        run.knowledge = RecordRun.Knowledge.TO_BE_WRITTEN;
    }

    /** After a change that nobody waits for. */
    private void settled() {
        startToBeWritten |= runs.advance();
        runs.join();
        write();
    }

    private void checkLocksIn(long delayMs) {
        if (!lockCheckDue) {
            lockCheckDue = true;
            loop.schedule(this::checkLocks, Math.max(LOCK_CHECK_MS_MIN, delayMs));
        }
    }

    private void checkLocks() {
        lockCheckDue = false;
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
            checkLocksIn(next - nowMs());
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
        if (writing || phase != Phase.ACTIVE) {
            return;
        }
        long start = runs.startOnceWritten();
        int done = 0;
        List<PersisterStateBatch> batches = new ArrayList<>();
        boolean news = startToBeWritten;
        for (RecordRun run : runs.all()) {
            news |= run.knowledge == RecordRun.Knowledge.TO_BE_WRITTEN;
            if (run.firstOffset() >= start) {
                done += run.willBeDone() ? (int) run.size() : 0;
                if (run.knowledge == RecordRun.Knowledge.TO_BE_WRITTEN) {
                    batches.add(stored(run));
                }
            }
            if (run.knowledge == RecordRun.Knowledge.TO_BE_WRITTEN) {
                run.knowledge = RecordRun.Knowledge.BEING_WRITTEN;
            }
        }
        if (!news) {
            return;
        }
        writing = true;
        startToBeWritten = false;
        List<CompletableFuture<Void>> answers = acknowledging;
        acknowledging = new ArrayList<>();
        var unused = store.write(new StateStore.Write(stateEpoch, leaderEpoch, start, done, batches))
                .whenComplete((nothing, failure) -> loop.execute(() -> written(answers, failure)));
    }

    /** A delivery under way is not stored, only how often there was one. */
    private static PersisterStateBatch stored(RecordRun run) {
        RecordState target = run.target;
        RecordState state = target != null ? target : run.isDone() ? run.state : RecordState.AVAILABLE;
        return new PersisterStateBatch(run.firstOffset(), run.lastOffset(), state.id(), (short) run.deliveryCount);
    }

    private void written(List<CompletableFuture<Void>> answers, @Nullable Throwable failure) {
        writing = false;
        ApiException why = failure == null ? null : exception(failure);
        if (phase == Phase.ACTIVE) {
            conclude(why == null);
        }
        if (why == null) {
            answers.forEach(each -> each.complete(null));
        } else {
            LOG.warn("{}: what became of its records could not be stored: {}", name, why.toString());
            answers.forEach(each -> each.completeExceptionally(why));
            if (isFinal(why)) {
                end(why);
            } else if (phase == Phase.ACTIVE) {
                giveBackExpired();
            }
        }
        if (phase == Phase.ACTIVE) {
            write();
            listener.changed(this);
        }
    }

    private void conclude(boolean known) {
        for (RecordRun run : runs.all()) {
            if (run.knowledge == RecordRun.Knowledge.BEING_WRITTEN) {
                run.knowledge = RecordRun.Knowledge.KNOWN;
                RecordState target = run.target;
                run.target = null;
                if (known && target != null) {
                    run.become(target);
                }
            }
        }
        if (known) {
            // The write has the start in it already
            runs.advance();
        }
        runs.join();
        mayHaveAvailable = true;
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

    private static ApiException exception(@Nullable Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof ApiException known
                ? known
                : Errors.UNKNOWN_SERVER_ERROR.exception(String.valueOf(cause));
    }

    @Override
    public String toString() {
        return name + " " + phase + " " + runs;
    }
}
