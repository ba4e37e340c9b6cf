package io.catchment.broker.partition;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.batch.LogValidatorCheck;
import io.catchment.broker.batch.LogValidatorCheck.Checked;
import io.catchment.broker.partition.InternalLog.InTransaction;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.topic.TopicConfig;
import io.catchment.controlplane.Command.Resignation;
import io.catchment.wal.Admission;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCounted;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.BatchMetadata;
import org.apache.kafka.storage.internals.log.ProducerAppendInfo;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.RecordValidationException;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.jspecify.annotations.Nullable;

/**
 * The owner's state of one stream. Mutable state is owned by the partition's event loop (one of the {@link PartitionLoop}s);
 * the {@link PartitionView} methods may be called from any thread and see volatile copies or locked parts.
 *
 * <p>An append gives out offsets only if the lane takes the frame, and a frame that was taken is never failed by the WAL. So
 * offsets never have to be taken back (P1): a fault leaves frames waiting, not holes. What a fault does end is the wait of
 * the clients: they get a retriable error, and a retry of an idempotent batch finds the original.
 */
final class Partition implements PartitionView {
    /** Well below the time after which idle producers expire. */
    private static final long FORGETS_NOBODY_MS = 60_000;

    private final OpenedStream stream;
    private final PartitionLoop loop;
    private final Tail tail = new Tail();
    private final ProducerStates producers;

    private final long openedMs;
    private long nextOffset;
    private Lane lane;
    private boolean changedSinceCheckpoint;
    private boolean touched;
    private final ArrayDeque<PendingAppend> inFlight = new ArrayDeque<>();
    /** While the stream is on its way to another owner. */
    private @Nullable Resigning resigning;
    /** Retries of batches that are still in flight themselves. */
    private final List<DuplicateWait> duplicates = new ArrayList<>();

    /** These three are written by the opener's thread only. */
    private volatile long logStartOffset;

    private volatile long compactedTo;

    private volatile List<EpochStart> epochStarts;
    private volatile long highWatermark;
    private volatile boolean owned = true;
    /** Of transactions; written by the event loop. */
    private volatile long firstUnstableOffset;

    private final Unverified unverified;
    private final RecentOffsets recent;
    private long announcedEnd;
    private final WatcherList watchers = new WatcherList();

    private record DuplicateWait(long firstOffset, long lastOffset, AppendCompletion completion, int slot) {}

    Partition(OpenedStream stream, ProducerStates producers, PartitionLoop loop) {
        this.stream = stream;
        this.producers = producers;
        this.loop = loop;
        this.openedMs = loop.time().milliseconds();
        this.logStartOffset = stream.logStartOffset();
        this.compactedTo = stream.compactedTo();
        this.epochStarts = stream.epochStarts();
        this.nextOffset = stream.endOffset();
        this.highWatermark = stream.endOffset();
        this.announcedEnd = stream.endOffset();
        this.unverified = new Unverified(this, producers, loop.verifier());
        producers.acknowledged(stream.endOffset());
        this.firstUnstableOffset = producers.firstUnstableOffset();
        this.recent = new RecentOffsets(stream.endOffset(), loop.time().nanoseconds());
        this.lane = loop.config(stream.topicPartition().topic()).lane();
    }

    PartitionLoop loop() {
        return loop;
    }

    // ---- append

    /**
     * Appends the one batch between the view's position and limit; it is patched in place (base offset, leader epoch).
     * The answer comes by {@code completion}, possibly before this returns; null when nobody waits.
     *
     * @param owner whose reference keeps the view's memory; null for a heap view that nobody else writes to
     */
    void append(
            ByteBuffer batch,
            @Nullable ReferenceCounted owner,
            AppendOrigin origin,
            @Nullable AppendCompletion completion,
            int slot,
            long nowMs) {
        append(batch, owner, origin, InTransaction.NONE, completion, slot, nowMs);
    }

    /** Appends a client's batch of a transaction, once it is sure that this partition is part of that. */
    void appendInTransaction(Unverified.Batch batch) {
        unverified.append(batch);
    }

    void append(Unverified.Batch batch, VerificationGuard guard) {
        append(
                batch.bytes(),
                batch.owner(),
                AppendOrigin.CLIENT,
                new InTransaction(guard, (short) 0),
                batch.completion(),
                batch.slot(),
                batch.nowMs());
    }

    private void append(
            ByteBuffer batch,
            @Nullable ReferenceCounted owner,
            AppendOrigin origin,
            InTransaction transaction,
            @Nullable AppendCompletion completion,
            int slot,
            long nowMs) {
        try {
            tryAppend(batch, owner, origin, transaction, completion, slot, nowMs);
        } catch (RecordValidationException e) {
            fail(completion, slot, Errors.forException(e.invalidException()), e.invalidException(), e.recordErrors());
        } catch (ApiException e) {
            fail(completion, slot, Errors.forException(e), e, List.of());
        }
    }

    /** Appends the batches of the node itself; the stage is done with the end offset when they are queued. */
    void appendInternal(ByteBuffer batches, InTransaction transaction, CompletableFuture<Long> end) {
        try {
            int at = batches.position();
            while (at < batches.limit()) {
                int bytes = BatchHeader.sizeInBytes(batches, at);
                tryAppend(
                        batches.slice(at, bytes),
                        null,
                        AppendOrigin.COORDINATOR,
                        transaction,
                        null,
                        0,
                        loop.time().milliseconds());
                at += bytes;
            }
            end.complete(nextOffset);
        } catch (RecordValidationException e) {
            end.completeExceptionally(e.invalidException());
        } catch (RuntimeException e) {
            end.completeExceptionally(e);
        }
    }

    private void tryAppend(
            ByteBuffer batch,
            @Nullable ReferenceCounted owner,
            AppendOrigin origin,
            InTransaction transaction,
            @Nullable AppendCompletion completion,
            int slot,
            long nowMs) {
        if (!owned) {
            throw Errors.NOT_LEADER_OR_FOLLOWER.exception();
        }
        if (resigning != null) {
            if (resigning.park(completion, slot)) {
                return;
            }
            throw Errors.NOT_LEADER_OR_FOLLOWER.exception();
        }
        TopicConfig config = loop.config(stream.topicPartition().topic());
        int at = batch.position();
        if (batch.remaining() < BatchHeader.BYTES || BatchHeader.sizeInBytes(batch, at) != batch.remaining()) {
            // a frame with anything but whole batches could neither be read nor flushed again
            throw Errors.INVALID_RECORD.exception("The append to " + stream.topicPartition() + " has "
                    + batch.remaining() + " bytes, which is not one whole batch");
        }
        if (batch.remaining() > config.maxMessageBytes()) {
            throw Errors.MESSAGE_TOO_LARGE.exception("The record batch size in the append to "
                    + stream.topicPartition() + " is " + batch.remaining()
                    + " bytes which exceeds the maximum configured value of " + config.maxMessageBytes() + " bytes.");
        }
        if (!laneReady(config)) {
            throw Errors.KAFKA_STORAGE_ERROR.exception(
                    "the write-ahead log cannot take records now: " + loop.fault(lane));
        }
        long logAppendTimeMs = -1;
        ByteBuf payload = null;
        boolean plain = plainTopic(config)
                && origin == AppendOrigin.CLIENT
                && loop.plainCheck()
                        .takesAsItIs(batch, at, batch.limit(), earliest(config, nowMs), latest(config, nowMs));
        if (!plain) {
            Checked checked = loop.fullCheck()
                    .check(
                            stream.topicPartition(),
                            batch.duplicate(),
                            nextOffset,
                            stream.leaderEpoch(),
                            rules(config),
                            origin);
            logAppendTimeMs = checked.logAppendTimeMs();
            ByteBuffer validated = checked.records().buffer();
            if (!validated.isDirect() || owner == null) {
                batch = validated;
                at = batch.position();
                payload = Unpooled.wrappedBuffer(validated);
            }
        }
        ProducerAppendInfo producer = null;
        ProducerStates.Ending ending = null;
        if (BatchHeader.isControl(batch, at)) {
            BatchHeader.setBaseOffset(batch, at, nextOffset);
            ending = producers.prepareMarker(batch, at, origin, transaction.markerVersion());
        } else if (BatchHeader.producerId(batch, at) >= 0) {
            BatchMetadata duplicate = producers.duplicateOf(batch, at);
            if (duplicate != null) {
                answerDuplicate(duplicate, completion, slot);
                return;
            }
            checkIsInTransaction(batch, at, transaction.guard());
            if (BatchHeader.baseSequence(batch, at) > 0 && lostItsBeginning(BatchHeader.producerId(batch, at), nowMs)) {
                throw Errors.OUT_OF_ORDER_SEQUENCE_NUMBER.exception("producer " + BatchHeader.producerId(batch, at)
                        + " begins " + stream.topicPartition() + " at sequence " + BatchHeader.baseSequence(batch, at)
                        + ": its earlier batches were refused while the partition was not open yet");
            }
            producer = producers.prepare(batch, at, nextOffset, origin);
        }
        BatchHeader.setBaseOffset(batch, at, nextOffset);
        BatchHeader.setLeaderEpoch(batch, at, stream.leaderEpoch());
        if (payload == null) {
            payload = owner == null ? Unpooled.wrappedBuffer(batch) : new RecordsBuf(batch, owner);
        }
        queue(payload, BatchHeader.lastOffsetDelta(batch, at) + 1, logAppendTimeMs, completion, slot, nowMs);
        if (producer != null) {
            producers.accept(producer, nextOffset);
            if (BatchHeader.isTransactional(batch, at)) {
                firstUnstableOffset = producers.firstUnstableOffset();
            }
        } else if (ending != null) {
            // What ends here is stable when the marker is acknowledged.
            producers.accept(ending, nextOffset);
        }
        loop.arrived(stream.topicPartition().topic(), nowMs - BatchHeader.maxTimestamp(batch, at));
    }

    private void checkIsInTransaction(ByteBuffer batch, int at, VerificationGuard guard) {
        long producerId = BatchHeader.producerId(batch, at);
        if (BatchHeader.isTransactional(batch, at)
                && !producers.hasTransaction(producerId, BatchHeader.producerEpoch(batch, at))
                && !producers.isVerified(producerId, guard)) {
            throw Errors.INVALID_TXN_STATE.exception("Record was not part of an ongoing transaction");
        }
    }

    /** On the event loop. */
    CompletionStage<Unverified.Outcome> verify(TransactionVerifier.Use use, long producerId, short epoch) {
        return owned
                ? unverified.verify(use, producerId, RecordBatch.NO_SEQUENCE, epoch)
                : CompletableFuture.completedFuture(
                        new Unverified.Outcome(VerificationGuard.SENTINEL, Errors.NOT_LEADER_OR_FOLLOWER));
    }

    /** On the event loop. */
    Collection<ProducerStateEntry> producers() {
        return List.copyOf(producers.active());
    }

    /**
     * Kafka takes any first sequence of a producer it does not know, since it may have forgotten it. A stream that was born in
     * this epoch has forgotten nobody: taking a later batch would shut out the first one, which was refused moments ago.
     */
    private boolean lostItsBeginning(long producerId, long nowMs) {
        return stream.endOffset() == 0
                && nowMs - openedMs < FORGETS_NOBODY_MS
                && producers.entry(producerId).isEmpty();
    }

    private void queue(
            ByteBuf payload,
            int count,
            long logAppendTimeMs,
            @Nullable AppendCompletion completion,
            int slot,
            long nowMs) {
        PendingAppend pending = new PendingAppend(
                this, nextOffset, nextOffset + count, logAppendTimeMs, payload.retain(), completion, slot);
        Frame frame =
                new Frame(FrameKind.DATA, stream.streamId(), stream.leaderEpoch(), nextOffset, count, nowMs, payload);
        Admission admission = loop.wal().append(lane, frame, pending);
        if (admission != Admission.ACCEPTED) {
            payload.release(2);
            throw Errors.KAFKA_STORAGE_ERROR.exception(
                    "the write-ahead log did not take the records: " + admission + " " + loop.fault(lane));
        }
        nextOffset += count;
        inFlight.addLast(pending);
        if (!changedSinceCheckpoint) {
            changedSinceCheckpoint = true;
            loop.changed(this);
        }
    }

    /** A stream changes its lane only while nothing is in flight: two lanes know no order between them (P1). */
    private boolean laneReady(TopicConfig config) {
        if (config.lane() != lane && nextOffset == highWatermark) {
            lane = config.lane();
        }
        return loop.wal().accepting(lane);
    }

    private void answerDuplicate(BatchMetadata original, @Nullable AppendCompletion completion, int slot) {
        if (completion == null) {
            return;
        }
        if (original.lastOffset() < highWatermark) {
            completion.acknowledged(slot, original.firstOffset(), -1, logStartOffset);
        } else {
            duplicates.add(new DuplicateWait(original.firstOffset(), original.lastOffset(), completion, slot));
        }
    }

    private void fail(
            @Nullable AppendCompletion completion,
            int slot,
            Errors error,
            ApiException cause,
            List<org.apache.kafka.common.requests.ProduceResponse.RecordError> recordErrors) {
        if (completion != null) {
            completion.failed(slot, error, cause.getMessage(), recordErrors, logStartOffset);
        }
    }

    private static boolean plainTopic(TopicConfig config) {
        return !config.compacted()
                && config.timestampType() == TimestampType.CREATE_TIME
                && config.compression() == null;
    }

    private static long earliest(TopicConfig config, long nowMs) {
        long before = config.timestampBeforeMaxMs();
        return before >= nowMs ? Long.MIN_VALUE : nowMs - before;
    }

    private static long latest(TopicConfig config, long nowMs) {
        long after = config.timestampAfterMaxMs();
        return after > Long.MAX_VALUE - nowMs ? Long.MAX_VALUE : nowMs + after;
    }

    private static LogValidatorCheck.Rules rules(TopicConfig config) {
        return new LogValidatorCheck.Rules(
                config.maxMessageBytes(),
                config.maxDecompressedMessageBytes(),
                config.compression(),
                config.compacted(),
                config.timestampType(),
                config.timestampBeforeMaxMs(),
                config.timestampAfterMaxMs());
    }

    // ---- acknowledgement

    /** The WAL acknowledged this batch; true when the partition was not yet touched in the present round. */
    boolean acknowledge(PendingAppend pending) {
        if (!owned) {
            // Given up when it was closed
            return false;
        }
        PendingAppend expected = inFlight.pollFirst();
        if (expected != pending) {
            throw new IllegalStateException("P2 broken: " + stream.topicPartition() + " acknowledged offset "
                    + pending.baseOffset + ", but " + (expected == null ? "nothing" : expected.baseOffset)
                    + " was to be next");
        }
        int bytes = pending.payload.readableBytes();
        boolean added = tail.add(pending.baseOffset, pending.endOffset, pending.payload);
        // Only now: who sees the new high watermark finds the batch in the tail.
        highWatermark = pending.endOffset;
        if (added) {
            loop.tailBudget().added(tail, bytes);
        }
        AppendCompletion completion = pending.completion;
        if (completion != null) {
            completion.acknowledged(pending.slot, pending.baseOffset, pending.logAppendTimeMs, logStartOffset);
        }
        boolean first = !touched;
        touched = true;
        return first;
    }

    /** After a round of acknowledgements: tells who waits for this partition. */
    void announce() {
        touched = false;
        recent.advanced(announcedEnd, loop.time().nanoseconds());
        announcedEnd = highWatermark;
        if (firstUnstableOffset != Long.MAX_VALUE) {
            producers.acknowledged(highWatermark);
            firstUnstableOffset = producers.firstUnstableOffset();
        }
        if (!duplicates.isEmpty()) {
            duplicates.removeIf(wait -> {
                if (wait.lastOffset() >= highWatermark) {
                    return false;
                }
                wait.completion().acknowledged(wait.slot(), wait.firstOffset(), -1, logStartOffset);
                return true;
            });
        }
        watchers.advanced(this);
        if (resigning != null) {
            resigning.goOn();
        }
    }

    /** The lane cannot write: ends the clients' waits with a retriable error. The frames stay queued (see the class). */
    void endWaits(Lane faulty, Errors error, String reason) {
        if (faulty != lane) {
            return;
        }
        for (PendingAppend pending : inFlight) {
            AppendCompletion completion = pending.completion;
            pending.completion = null;
            if (completion != null) {
                completion.failed(pending.slot, error, reason, List.of(), logStartOffset);
            }
        }
        for (DuplicateWait wait : duplicates) {
            wait.completion().failed(wait.slot(), error, reason, List.of(), logStartOffset);
        }
        duplicates.clear();
    }

    // ---- checkpoint, end

    /**
     * Queues a checkpoint frame if anything was appended since the last one; the stream is then unchanged again. A partition
     * without producers writes one too: it tells the next owner that there is nothing to replay before it.
     */
    void checkpoint(Lane rolling) {
        if (rolling != lane || !changedSinceCheckpoint) {
            return;
        }
        if (queueCheckpoint(null)) {
            changedSinceCheckpoint = false;
        }
    }

    private boolean queueCheckpoint(@Nullable Object context) {
        ByteBuf payload = loop.allocator().directBuffer();
        producers.writeTo(payload);
        Frame frame = new Frame(
                FrameKind.CHECKPOINT,
                stream.streamId(),
                stream.leaderEpoch(),
                nextOffset,
                0,
                loop.time().milliseconds(),
                payload);
        if (loop.wal().append(lane, frame, context) == Admission.ACCEPTED) {
            return true;
        }
        payload.release();
        return false;
    }

    // ---- change of owner

    /** Takes no more appends; {@code done} hears, on the event loop, when the next owner may have the stream. */
    void resign(Consumer<Resignation> done) {
        if (owned && resigning == null) {
            resigning = new Resigning(this, done);
            resigning.begin();
        }
    }

    /** The stream stays here after all. */
    void stay() {
        endResigning(Errors.NOT_LEADER_OR_FOLLOWER);
    }

    private void endResigning(Errors error) {
        Resigning ended = resigning;
        if (ended != null) {
            resigning = null;
            ended.end(error);
        }
    }

    boolean isResigning() {
        return resigning != null;
    }

    /** Everything taken is acknowledged. */
    boolean isQuiet() {
        return inFlight.isEmpty();
    }

    /** Nothing was appended in this epoch: what the last owner left still tells all. */
    boolean isUntouched() {
        return nextOffset == stream.endOffset();
    }

    /** Queues the checkpoint that the next owner begins with; false if the lane does not take it now. */
    boolean checkpointFor(Resigning resignation) {
        return queueCheckpoint(resignation);
    }

    boolean changedSinceCheckpoint() {
        return changedSinceCheckpoint;
    }

    void expireProducers(long nowMs) {
        producers.expire(nowMs);
    }

    /** Stops serving: ownership is gone, or the topic is. What is in flight is not answered as written. */
    void close(Errors error) {
        if (!owned) {
            return;
        }
        owned = false;
        endResigning(error);
        endWaits(lane, error, "the partition is no longer served by this node");
        // A lane that is fenced, or closed, never says what became of them
        inFlight.forEach(pending -> pending.payload.release());
        inFlight.clear();
        loop.tailBudget().closed(tail.close());
        watchers.advanced(this);
    }

    // ---- view

    @Override
    public TopicPartition topicPartition() {
        return stream.topicPartition();
    }

    @Override
    public Uuid topicId() {
        return stream.topicId();
    }

    @Override
    public long streamId() {
        return stream.streamId();
    }

    @Override
    public int leaderEpoch() {
        return stream.leaderEpoch();
    }

    @Override
    public boolean owned() {
        return owned;
    }

    @Override
    public boolean serving() {
        return owned && loop.servingRight().held();
    }

    @Override
    public long logStartOffset() {
        return logStartOffset;
    }

    /** The control plane has recorded a new beginning. On the opener's thread. */
    void begins(long newLogStartOffset, List<EpochStart> newEpochStarts) {
        if (newLogStartOffset > logStartOffset) {
            epochStarts = List.copyOf(newEpochStarts);
            logStartOffset = newLogStartOffset;
            if (!watchers.isEmpty()) {
                loop.eventLoop().execute(() -> watchers.advanced(this));
            }
        }
    }

    /** Below it there is something else to read by now than what the tail still has, and what is remembered of transactions. On the opener's thread. */
    void compacted(long toOffset) {
        compactedTo = toOffset;
    }

    @Override
    public boolean isRecent(long offset) {
        return recent.has(offset);
    }

    @Override
    public long highWatermark() {
        return highWatermark;
    }

    @Override
    public long lastStableOffset() {
        // In this order: a transaction that began below this high watermark is seen by the second read.
        long acknowledged = highWatermark;
        // What of a transaction is deleted is not waited for: nobody can read there
        return Math.min(acknowledged, Math.max(firstUnstableOffset, logStartOffset));
    }

    /**
     * Not those whose marker compaction may have taken away, with the last of their records: a reader that is told of an abort takes all of its producer's
     * records for aborted ones until the marker comes.
     */
    @Override
    public List<AbortedTransaction> aborted(long fromOffset, long toOffset) {
        return producers.aborted().between(Math.max(fromOffset, compactedTo), toOffset);
    }

    @Override
    public long abortedKnownFrom() {
        return Math.max(producers.aborted().knownFrom(), compactedTo);
    }

    @Override
    public List<EpochStart> epochStarts() {
        return epochStarts;
    }

    @Override
    public @Nullable BatchRun readTail(long fromOffset, int bytesMax) {
        return fromOffset < compactedTo ? null : tail.read(fromOffset, highWatermark, bytesMax);
    }

    @Override
    public void watch(AdvanceListener listener) {
        watchers.add(listener);
    }

    @Override
    public void unwatch(AdvanceListener listener) {
        watchers.remove(listener);
    }
}
