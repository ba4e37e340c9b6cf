package io.catchment.broker.share;

import io.catchment.broker.fetch.AbortedSearch;
import io.catchment.broker.fetch.ReadFailures;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.network.ByteBufRecords;
import io.catchment.broker.partition.AbortedTransaction;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.BatchRuns;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.share.partition.Acquired;
import io.catchment.broker.share.partition.Appetite;
import io.catchment.broker.share.partition.SharePartition;
import io.catchment.objectstore.ReadClass;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.ShareFetchResponseData.AcquiredRecords;
import org.apache.kafka.common.message.ShareFetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * One share fetch from its arrival until it has records, or its time is over. Owned by the share loop.
 *
 * <p>It takes what its partitions have in the tail, in the session's turn; when that is nothing, what one of them has below the tail; when that is
 * nothing either, it waits. Records in its answer are acquired: should the connection be gone by then, the session's end gives them back.
 */
final class ShareFetchCall {
    /** Stretches of markers, aborted or deleted records that are passed over in one go. */
    private static final int SKIPS_MAX = 64;
    /** How long a read below the tail is waited for beyond the member's own patience. */
    private static final long COLD_WAIT_MS = 10_000;

    private static final long RETRY_MS = 50;
    private static final long FAILED_RETRY_MS = 500;

    private enum State {
        WAITING,
        READING,
        DONE
    }

    private final Wanted wanted;
    private final Means means;
    private final Consumer<Map<TopicIdPartition, PartitionData>> done;
    private final Consumer<RuntimeException> failed;
    private final Runnable waker = this::attempt;
    private final Map<TopicIdPartition, OpenShare> awaited = new HashMap<>();
    private final Map<TopicIdPartition, PartitionData> answers = new LinkedHashMap<>();
    private final long deadlineNanos;
    private State state = State.WAITING;
    private Appetite appetite;
    private int bytesLeft;
    private @Nullable CompletableFuture<?> coldRead;
    private SerialLoop.@Nullable Scheduled deadline;

    /** What is asked for. */
    record Wanted(
            ShareSession session,
            List<TopicIdPartition> partitions,
            Appetite appetite,
            int bytesMax,
            int minBytes,
            int waitMs,
            boolean committedOnly) {}

    /**
     * What all calls share.
     *
     * @param redirects whether a client that is told that this node does not serve the partition learns who does
     */
    record Means(
            SharePartitions shares,
            StreamReader reader,
            ReadFailures failures,
            SerialLoop loop,
            Predicate<TopicIdPartition> redirects) {}

    /**
     * @param done gets the records, whose references belong to it, and errors
     * @param failed hears instead of a fault in here
     */
    ShareFetchCall(
            Wanted wanted,
            Means means,
            Consumer<Map<TopicIdPartition, PartitionData>> done,
            Consumer<RuntimeException> failed) {
        this.wanted = wanted;
        this.means = means;
        this.done = done;
        this.failed = failed;
        this.appetite = wanted.appetite();
        this.bytesLeft = Math.max(1, wanted.bytesMax());
        this.deadlineNanos = means.loop().nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.max(0, wanted.waitMs()));
    }

    void start() {
        deadline = means.loop().schedule(this::due, Math.max(0, wanted.waitMs()));
        attempt();
    }

    /** Nobody waits for the answer any more. False when it is on its way already. */
    boolean drop() {
        if (state == State.DONE) {
            return false;
        }
        finish();
        answers.values().forEach(ShareFetchCall::release);
        return true;
    }

    static void release(PartitionData answer) {
        if (answer.records() instanceof ByteBufRecords records) {
            records.release();
        }
    }

    // ---- looking for records

    private void attempt() {
        if (state == State.WAITING) {
            guarded(this::takeWhatThereIs);
        }
    }

    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            if (drop()) {
                failed.accept(e);
            }
        }
    }

    private void takeWhatThereIs() {
        answers.clear();
        if (wanted.session().isOver()) {
            answer();
            return;
        }
        if (wanted.minBytes() > 1 && !isDue() && !hasBytes()) {
            return;
        }
        boolean tellAtOnce = false;
        for (TopicIdPartition partition : wanted.partitions()) {
            tellAtOnce |= look(partition, false);
        }
        if (hasRecords() || tellAtOnce) {
            answer();
            return;
        }
        for (TopicIdPartition partition : wanted.partitions()) {
            if (state == State.WAITING) {
                look(partition, true);
            }
        }
        if (state == State.WAITING && (hasRecords() || isDue())) {
            answer();
        }
    }

    private boolean hasRecords() {
        return answers.values().stream()
                .anyMatch(answer -> !answer.acquiredRecords().isEmpty());
    }

    /** True when the client should know at once: another node has the partition. */
    private boolean look(TopicIdPartition partition, boolean below) {
        if (appetite.recordsMax() <= 0 || bytesLeft <= 0) {
            return false;
        }
        SharePartitions.Outcome found = open(partition);
        OpenShare open = found.open();
        if (open == null) {
            answers.put(partition, failed(partition, found.error()));
            return found.error() == Errors.NOT_LEADER_OR_FOLLOWER
                    && means.redirects().test(partition);
        }
        read(partition, open, below);
        return false;
    }

    /** What could not be opened, or ended meanwhile, stays so for this request: its member is to hear of it. */
    private SharePartitions.Outcome open(TopicIdPartition partition) {
        OpenShare known = awaited.get(partition);
        SharePartitions.Outcome found = known == null
                ? means.shares().open(wanted.session().group(), partition)
                : new SharePartitions.Outcome(known, Errors.NONE);
        OpenShare open = found.open();
        if (open == null) {
            return found;
        }
        if (known == null) {
            awaited.put(partition, open);
            open.await(waker);
        }
        ApiException ended = open.partition().endedBy();
        return ended == null ? found : new SharePartitions.Outcome(null, told(Errors.forException(ended)));
    }

    /** Other errors than those of the protocol's list end a stock client. */
    private static Errors told(Errors error) {
        return switch (error) {
            case NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, KAFKA_STORAGE_ERROR -> error;
            default -> Errors.UNKNOWN_SERVER_ERROR;
        };
    }

    private static PartitionData failed(TopicIdPartition partition, Errors error) {
        return new PartitionData()
                .setPartitionIndex(partition.partition())
                .setErrorCode(error.code())
                .setErrorMessage(error.message())
                .setRecords(MemoryRecords.EMPTY);
    }

    private void read(TopicIdPartition partition, OpenShare open, boolean below) {
        PartitionView view = open.view();
        SharePartition share = open.partition();
        share.logStartsAt(view.logStartOffset());
        for (int skips = 0; skips < SKIPS_MAX && !open.reading; skips++) {
            long offset = share.fetchOffset();
            long limit = wanted.committedOnly() ? view.lastStableOffset() : view.highWatermark();
            if (offset < 0 || offset >= limit) {
                return;
            }
            boolean searched = wanted.committedOnly() && offset < view.abortedKnownFrom();
            BatchRun tail = searched ? null : view.readTail(offset, bytesMax());
            if (tail == null) {
                if (below) {
                    readBelow(partition, open, offset, limit, searched);
                }
                return;
            }
            List<AbortedTransaction> aborted = aborted(view, offset, tail);
            if (isForgotten(view, offset, searched)) {
                tail.payload().release();
                continue;
            }
            if (take(partition, open, offset, visible(tail, limit), aborted)) {
                return;
            }
            if (share.fetchOffset() == offset) {
                return;
            }
        }
        if (!open.reading) {
            // There is more to pass over
            open.wake();
        }
    }

    /** Each partition gets its part, so that the first does not take all. */
    private int bytesMax() {
        return Math.max(
                1,
                Math.min(
                        bytesLeft,
                        wanted.bytesMax() / Math.max(1, wanted.partitions().size())));
    }

    private BatchRun visible(BatchRun run, long limit) {
        return wanted.committedOnly() ? BatchRuns.until(run, limit) : run;
    }

    private List<AbortedTransaction> aborted(PartitionView view, long offset, BatchRun run) {
        return wanted.committedOnly() ? view.aborted(offset, run.endOffset()) : List.of();
    }

    /**
     * Asked after the partition was asked which transactions were aborted: whether each abort since the read began may have made it forget one that
     * has records in the run. Their members would not be known as aborted (P3); the next look searches for the markers.
     */
    private boolean isForgotten(PartitionView view, long offset, boolean searched) {
        return wanted.committedOnly() && !searched && offset < view.abortedKnownFrom();
    }

    /** Takes over the run's reference. True when there was something for the member. */
    private boolean take(
            TopicIdPartition partition,
            OpenShare open,
            long offset,
            BatchRun visible,
            List<AbortedTransaction> aborted) {
        ReadRun run = new ReadRun(visible, aborted);
        List<Acquired> acquired = open.partition().acquire(wanted.session().member(), appetite, run.found(offset));
        if (acquired.isEmpty()) {
            run.release();
            return false;
        }
        ByteBufRecords records = new ByteBufRecords(run.records(acquired));
        bytesLeft -= records.sizeInBytes();
        appetite = appetite.lessBy(acquired.stream().mapToLong(Acquired::size).sum());
        answers.put(
                partition,
                new PartitionData()
                        .setPartitionIndex(partition.partition())
                        .setRecords(records)
                        .setAcquiredRecords(acquired.stream()
                                .map(each -> new AcquiredRecords()
                                        .setFirstOffset(each.firstOffset())
                                        .setLastOffset(each.lastOffset())
                                        .setDeliveryCount((short) each.deliveryCount()))
                                .toList()));
        return true;
    }

    /** For min.bytes: what is not in the tail counts as enough, it is an old part of the log. */
    private boolean hasBytes() {
        int bytes = 0;
        for (TopicIdPartition partition : wanted.partitions()) {
            OpenShare open = open(partition).open();
            if (open == null || !open.partition().isActive()) {
                continue;
            }
            PartitionView view = open.view();
            long offset = open.partition().fetchOffset();
            if (offset >= 0 && offset < (wanted.committedOnly() ? view.lastStableOffset() : view.highWatermark())) {
                BatchRun tail = view.readTail(offset, bytesMax());
                if (tail == null) {
                    return true;
                }
                bytes += tail.payload().readableBytes();
                tail.payload().release();
            }
        }
        return bytes >= wanted.minBytes();
    }

    // ---- below the tail

    private void readBelow(TopicIdPartition partition, OpenShare open, long offset, long limit, boolean searched) {
        PartitionView view = open.view();
        state = State.READING;
        open.reading = true;
        ReadClass as = view.isRecent(offset) ? ReadClass.TAIL : ReadClass.CATCH_UP;
        BatchRun tail = searched ? view.readTail(offset, bytesMax()) : null;
        var run = tail != null
                ? CompletableFuture.completedFuture(tail)
                : means.reader().read(view.streamId(), offset, limit, bytesMax(), as);
        CompletableFuture<AbortedSearch.Searched> read = searched
                ? AbortedSearch.after(run, means.reader(), view, offset, limit)
                : run.toCompletableFuture()
                        .thenApply(found -> new AbortedSearch.Searched(found, aborted(view, offset, found)));
        coldRead = searched ? read : run.toCompletableFuture();
        var unused = read.whenComplete((found, failure) -> means.loop()
                .execute(
                        () -> guarded(() -> arrived(partition, open, offset, limit, searched, found, failure)),
                        () -> giveUp(found)));
    }

    private static void giveUp(AbortedSearch.@Nullable Searched found) {
        if (found != null) {
            found.run().payload().release();
        }
    }

    private void arrived(
            TopicIdPartition partition,
            OpenShare open,
            long offset,
            long limit,
            boolean searched,
            AbortedSearch.@Nullable Searched found,
            @Nullable Throwable failure) {
        open.reading = false;
        coldRead = null;
        boolean got = false;
        if (found != null) {
            if (state == State.DONE || wanted.session().isOver() || isForgotten(open.view(), offset, searched)) {
                found.run().payload().release();
            } else {
                got = take(partition, open, offset, visible(found.run(), limit), found.aborted());
            }
        } else if (state != State.DONE) {
            means.failures().report(open.view().topicPartition(), "reading offset " + offset, failure);
            answers.put(partition, failed(partition, ReadFailures.error(failure)));
        }
        open.wake();
        if (state != State.READING) {
            return;
        }
        if (got || hasRecords() || isDue()) {
            answer();
            return;
        }
        state = State.WAITING;
        means.loop().schedule(waker, found == null ? FAILED_RETRY_MS : RETRY_MS);
    }

    // ---- the end

    private boolean isDue() {
        return means.loop().nanoTime() - deadlineNanos >= 0;
    }

    private void due() {
        attempt();
        if (state == State.READING) {
            means.loop().schedule(this::answer, COLD_WAIT_MS);
        }
    }

    private void answer() {
        if (state != State.DONE) {
            finish();
            done.accept(answers);
        }
    }

    private void finish() {
        state = State.DONE;
        awaited.values().forEach(open -> open.leave(waker));
        SerialLoop.Scheduled timer = deadline;
        if (timer != null) {
            // A member may be patient for days, and what it is answered with is kept as long as this
            timer.cancel();
        }
        CompletableFuture<?> read = coldRead;
        if (read != null) {
            read.cancel(false);
        }
    }
}
