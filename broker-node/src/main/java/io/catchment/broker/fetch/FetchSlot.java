package io.catchment.broker.fetch;

import io.catchment.broker.network.ByteBufRecords;
import io.catchment.broker.partition.AbortedTransaction;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.BatchRun;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.jspecify.annotations.Nullable;

/**
 * One partition that a consumer fetches: what it wants, how the partition stands, and what goes into the answer under way.
 * Owned by the connection's event loop; only {@link #advanced} is called by others.
 *
 * <p>Between two evaluations an idle slot costs nothing: the partition's advance marks it as woken.
 */
final class FetchSlot implements PartitionView.AdvanceListener {
    /** What the last evaluation found. */
    enum Status {
        /** The consumer has everything up to the end. */
        IDLE,
        /** There are records for it. */
        DATA,
        /** Read here for an owner elsewhere, of which less is known here than the consumer has: {@link #error} if that does not change in time. */
        BEHIND,
        /** A node in the consumer's zone reads it: {@link #nearNode}. */
        ELSEWHERE,
        /** The consumer's log diverges from ours (its last fetched epoch is unknown here). */
        DIVERGED,
        /** {@link #error} says why. */
        ERROR
    }

    final TopicIdPartition partition;
    private final FetchSlots slots;
    private final AtomicBoolean woken = new AtomicBoolean();

    /** Next of the stack of woken slots. */
    @Nullable
    FetchSlot nextWoken;

    private FetchRequest.PartitionData wanted;
    private @Nullable PartitionView view;
    private boolean watched;

    /** Is in {@link FetchSlots#active}. */
    boolean active;

    boolean removed;

    /** Named by the request under way, or its log has another beginning or end than the consumer was told: answered even if there are no records. */
    boolean named;

    Status status = Status.IDLE;
    Errors error = Errors.NONE;
    private EpochEnd divergence = EpochEnd.UNDEFINED;
    private int nearNode = FetchResponse.INVALID_PREFERRED_REPLICA_ID;
    /** Last stable offset that a follower was told. */
    private long toldLastStable = Long.MIN_VALUE;

    /** What a consumer was told, or would have been had it not been over its limit. */
    private long toldStart = Long.MIN_VALUE;

    private long toldHighWatermark = Long.MIN_VALUE;

    /** Readable up to here, as of the evaluation. */
    private long limit;

    /** Bytes from the fetch offset to {@link #countedTo} were counted already. */
    private int countedBytes;

    private long countedTo;

    /** Bytes ready to be answered, capped by what the partition may send; only exact enough for min.bytes. */
    int ready;

    /** What was found about the run under way, from any thread. */
    private volatile AbortedSearch.@Nullable Searched searched;

    /** Read for the answer under way; this slot's reference until the answer takes it. */
    private @Nullable BatchRun run;

    FetchSlot(FetchSlots slots, TopicIdPartition partition, FetchRequest.PartitionData wanted) {
        this.slots = slots;
        this.partition = partition;
        this.wanted = wanted;
        this.countedTo = wanted.fetchOffset;
    }

    void want(FetchRequest.PartitionData changed) {
        wanted = changed;
        countedTo = changed.fetchOffset;
        countedBytes = 0;
    }

    long offset() {
        return wanted.fetchOffset;
    }

    int bytesMax() {
        return Math.max(0, wanted.maxBytes);
    }

    long limit() {
        return limit;
    }

    /** The partition as of the last evaluation; present while the status is DATA. */
    PartitionView view() {
        PartitionView found = view;
        if (found == null) {
            throw new IllegalStateException("no partition " + partition + " with status " + status);
        }
        return found;
    }

    @Override
    public void advanced(PartitionView advanced) {
        wake();
    }

    void wake() {
        if (woken.compareAndSet(false, true)) {
            slots.woken(this);
        }
    }

    /** From now on an advance is heard. Call before the evaluation that follows. */
    void rest() {
        woken.set(false);
    }

    // ---- evaluation

    /** @param minBytes above 1 the bytes that are ready are counted, else that there are some is enough */
    void evaluate(PartitionLookup lookup, FetchReader reader, int minBytes) {
        PartitionView found = find(lookup, reader);
        ready = 0;
        if (found == null) {
            status = Status.ERROR;
            error = lookup.missing(partition.topic(), partition.topicId(), partition.partition());
            return;
        }
        error = PartitionLookup.checkEpoch(found, wanted.currentLeaderEpoch.orElse(-1));
        if (error != Errors.NONE) {
            status = Status.ERROR;
            return;
        }
        long highWatermark = found.highWatermark();
        if (reader.follows()) {
            boolean news = highWatermark > offset() || found.lastStableOffset() != toldLastStable;
            status = news ? Status.DATA : Status.IDLE;
            ready = news ? Math.max(1, minBytes) : 0;
            return;
        }
        long start = found.logStartOffset();
        named |= start != toldStart || highWatermark != toldHighWatermark;
        if (found.isNear() && offset() > highWatermark && offset() >= start) {
            boolean told = highWatermark >= 0;
            status = found.isBehind() ? Status.ERROR : Status.BEHIND;
            error = told ? Errors.OFFSET_OUT_OF_RANGE : found.isBehind() ? Errors.OFFSET_NOT_AVAILABLE : Errors.NONE;
            return;
        }
        if (wanted.lastFetchedEpoch.isPresent()
                && diverges(found, wanted.lastFetchedEpoch.orElseThrow(), highWatermark)) {
            return;
        }
        if (offset() < start || offset() > highWatermark) {
            status = Status.ERROR;
            error = Errors.OFFSET_OUT_OF_RANGE;
            return;
        }
        limit = reader.readCommitted() ? found.lastStableOffset() : highWatermark;
        if (offset() >= limit) {
            status = found.isBehind() ? Status.ERROR : Status.IDLE;
            error = found.isBehind() ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.NONE;
            return;
        }
        status = Status.DATA;
        ready = minBytes <= 1 ? 1 : countReady(found, minBytes);
    }

    /** It is here, and the consumer is not sent away. */
    boolean isServed() {
        return status == Status.IDLE || status == Status.DATA;
    }

    void sendTo(int node) {
        status = Status.ELSEWHERE;
        nearNode = node;
        ready = 0;
    }

    private @Nullable PartitionView find(PartitionLookup lookup, FetchReader reader) {
        PartitionView known = view;
        if (known != null && known.serving()) {
            return known;
        }
        PartitionView found = lookup.serving(partition.topic(), partition.topicId(), partition.partition());
        if (found == null && reader.near() != null) {
            found = reader.near().find(partition.topic(), partition.topicId(), partition.partition());
        }
        if (found != known) {
            boolean watch = watched;
            unwatch();
            view = found;
            if (watch) {
                watch();
            }
        }
        return found;
    }

    private boolean diverges(PartitionView found, int lastFetchedEpoch, long logEnd) {
        EpochEnd end = EpochEnd.of(found.epochStarts(), lastFetchedEpoch, logEnd);
        if (end.equals(EpochEnd.UNDEFINED)) {
            status = Status.ERROR;
            error = Errors.OFFSET_OUT_OF_RANGE;
            return true;
        }
        if (end.epoch() < lastFetchedEpoch || end.endOffset() < offset()) {
            status = Status.DIVERGED;
            divergence = end;
            return true;
        }
        return false;
    }

    /** Counts on from where the last count ended. What is not in the tail counts as enough: it is an old part of the log. */
    private int countReady(PartitionView found, int enough) {
        while (countedTo < limit && countedBytes < Math.min(enough, bytesMax())) {
            BatchRun next = found.readTail(countedTo, bytesMax() - countedBytes);
            if (next == null) {
                return enough;
            }
            countedBytes += next.payload().readableBytes();
            countedTo = Math.max(countedTo + 1, next.endOffset());
            next.payload().release();
        }
        return Math.max(1, Math.min(countedBytes, bytesMax()));
    }

    // ---- watching

    void watch() {
        watched = true;
        PartitionView found = view;
        if (found != null) {
            found.watch(this);
        }
    }

    void unwatch() {
        PartitionView found = view;
        if (watched && found != null) {
            found.unwatch(this);
        }
        watched = false;
    }

    boolean watched() {
        return watched;
    }

    // ---- the answer

    /** Takes over the run's reference. */
    void answerWith(BatchRun read) {
        releaseRun();
        run = read;
    }

    void searched(AbortedSearch.Searched found) {
        searched = found;
    }

    void failRead(Errors readError) {
        status = Status.ERROR;
        error = readError;
    }

    int runBytes() {
        BatchRun read = run;
        return read == null ? 0 : read.payload().readableBytes();
    }

    void releaseRun() {
        BatchRun read = run;
        run = null;
        if (read != null) {
            read.payload().release();
        }
    }

    /** The run's reference now belongs to the response. */
    void runAnswered() {
        run = null;
    }

    /**
     * Of the run, as a reader of committed records needs them; null when nobody knows: the partition remembered these transactions when the read
     * began, and each abort since may have made it forget one. The run is not to be shown then (P3).
     */
    private @Nullable List<FetchResponseData.AbortedTransaction> aborted(PartitionView found, @Nullable BatchRun read) {
        if (read == null || read.isEmpty()) {
            return List.of();
        }
        AbortedSearch.Searched search = searched;
        boolean forThis = search != null
                && search.run().baseOffset() == read.baseOffset()
                && search.run().endOffset() >= read.endOffset();
        List<AbortedTransaction> all =
                search != null && forThis ? search.aborted() : found.aborted(offset(), read.endOffset());
        if (!forThis && offset() < found.abortedKnownFrom()) {
            return null;
        }
        return all.stream()
                .map(each -> new FetchResponseData.AbortedTransaction()
                        .setProducerId(each.producerId())
                        .setFirstOffset(each.firstOffset()))
                .toList();
    }

    /** The records in it still belong to this slot. */
    PartitionData response(FetchReader reader) {
        PartitionView found = view;
        if (status == Status.ERROR || found == null || (status == Status.BEHIND && error != Errors.NONE)) {
            return FetchResponse.partitionResponse(partition.partition(), error);
        }
        List<FetchResponseData.AbortedTransaction> aborted = null;
        if (reader.readCommitted()) {
            aborted = aborted(found, run);
            if (aborted == null) {
                // What is read next is searched for their markers
                releaseRun();
                aborted = List.of();
            }
        }
        BatchRun read = run;
        // In this order: the markers of all transactions below the stable offset lie below the high watermark
        long lastStable = found.lastStableOffset();
        PartitionData data = new PartitionData()
                .setPartitionIndex(partition.partition())
                .setHighWatermark(found.highWatermark())
                .setLastStableOffset(lastStable)
                .setLogStartOffset(found.logStartOffset())
                .setAbortedTransactions(aborted)
                .setRecords(read == null ? MemoryRecords.EMPTY : new ByteBufRecords(read.payload()));
        toldStart = data.logStartOffset();
        toldHighWatermark = data.highWatermark();
        if (status == Status.ELSEWHERE) {
            data.setPreferredReadReplica(nearNode);
        }
        if (reader.follows()) {
            toldLastStable = data.lastStableOffset();
            if (status == Status.DATA) {
                // Kafka's session leaves a partition out of the answer if only its last stable offset moved, but not
                // with this
                data.setPreferredReadReplica(0);
            }
        }
        if (status == Status.DIVERGED) {
            data.setDivergingEpoch(new FetchResponseData.EpochEndOffset()
                    .setEpoch(divergence.epoch())
                    .setEndOffset(divergence.endOffset()));
        }
        return data;
    }
}
