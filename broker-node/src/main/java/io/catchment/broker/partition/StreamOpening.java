package io.catchment.broker.partition;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.read.StreamReader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.ObjectBytes;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.jspecify.annotations.Nullable;

/**
 * Learns what a new owner must know of a stream: where it ends and which producers it knows (DESIGN §6). Owned by the opener's thread;
 * what lies elsewhere is read by {@link Reads}.
 *
 * <p>A stream that was handed over ends where its last owner said; the producers are in the checkpoint frame it left. Of any other, and when
 * that frame is not to be had, the end is read from the catalog and the unflushed extents of its writers, and the producers from
 * the newest checkpoint and the batch headers after it. What is flushed, sealed or acknowledged meanwhile makes offsets seem missing:
 * then it begins again with the newest image, a few times.
 */
final class StreamOpening {
    private static final int REPLAY_BYTES = 1 << 20;
    /** After pauses of 5 ms, doubled each time: 1.3 s in all, by which a replica has long heard what is acknowledged. */
    private static final int ATTEMPTS_MAX = 8;

    private static final long PAUSE_MS = 5;
    /** With holders that do not answer an attempt takes longer: then no further one begins. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(3);
    /** Of a frame: its payload lies behind it. */
    private static final int FRAME_HEADER_BYTES = 56;

    private final Owner owner;
    private final Sources sources;
    private final OpeningExtents extents;
    private final ProducerStateManagerConfig producerConfig;
    private final Time time;
    private final Supplier<ClusterImage> images;

    /** Who opens: this node in its present epoch. */
    record Owner(int nodeId, long nodeEpoch) {
        /** It owns the stream without having claimed it: the last owner resigned in its favour. */
        boolean wasHanded(StreamState stream) {
            return stream.handover() != null && stream.ownerNodeId() == nodeId && stream.ownerNodeEpoch() == nodeEpoch;
        }
    }

    /** Where streams are read. */
    record Sources(StreamExtents extents, StreamReader reader, ObjectBytes objects) {}

    /**
     * The state of one stream as found.
     *
     * @param stream as of the image it was read by
     * @param handedOver it is this owner's already, in the stream's present epoch; else it is not claimed yet
     */
    record Found(StreamState stream, long endOffset, ProducerStates producers, boolean handedOver) {}

    StreamOpening(
            Owner owner,
            Sources sources,
            ProducerStateManagerConfig producerConfig,
            Time time,
            Supplier<ClusterImage> images) {
        this.owner = owner;
        this.sources = sources;
        this.extents = new OpeningExtents(sources.extents());
        this.producerConfig = producerConfig;
        this.time = time;
        this.images = images;
    }

    /** How a stream's reads are made. */
    interface Reads {
        /** What the read brings is given to {@code then} on the caller's thread, and released after it; a failure ends the stream's opening. */
        <T> void take(Supplier<CompletionStage<T>> read, Consumer<T> release, Consumer<T> then);
    }

    /**
     * Completes {@code found}, now or when its reads have brought what is needed. Fails it with {@link StreamNotReadableException} or
     * {@link java.io.IOException} when that cannot be had now (try again later), with {@link StreamGoneException} when it is not this node's, with
     * {@link IllegalStateException} when an invariant is broken.
     */
    void find(long streamId, Reads reads, CompletableFuture<Found> found) {
        new Opening(streamId, reads, found).begin();
    }

    /** One stream's opening. */
    private final class Opening {
        private final long streamId;
        private final Reads reads;
        private final CompletableFuture<Found> found;
        private final long sinceNanos = time.nanoseconds();
        private ClusterImage image = images.get();
        private int attempts;

        Opening(long streamId, Reads reads, CompletableFuture<Found> found) {
            this.streamId = streamId;
            this.reads = reads;
            this.found = found;
        }

        void begin() {
            try {
                attempt();
            } catch (StreamNotReadableException e) {
                again(e);
            } catch (RuntimeException e) {
                found.completeExceptionally(e);
            }
        }

        /** Catalog and extents must be of the same moment: what is flushed in between would be in neither. */
        private void attempt() {
            image = images.get();
            StreamState stream = image.stream(streamId)
                    .filter(each -> each.ownerNodeId() == owner.nodeId())
                    .orElse(null);
            if (stream == null) {
                found.completeExceptionally(new StreamGoneException(streamId));
                return;
            }
            StreamState.Handover handover = stream.handover();
            if (handover != null && owner.wasHanded(stream)) {
                takeOver(stream, handover);
            } else {
                collect(stream);
            }
        }

        /** With the newest image, after a while; alone only if that is another one. */
        private void again(Throwable why) {
            boolean mayHelp = !sources.extents().isAlone() || images.get() != image;
            boolean tired = attempts == ATTEMPTS_MAX || time.nanoseconds() - sinceNanos > PATIENCE_NANOS;
            if (!mayHelp || tired) {
                found.completeExceptionally(why);
                return;
            }
            long pauseMs = PAUSE_MS << attempts++;
            reads.take(
                    () -> new CompletableFuture<Boolean>().completeOnTimeout(true, pauseMs, TimeUnit.MILLISECONDS),
                    over -> {},
                    over -> begin());
        }

        // ---- handed over

        private void takeOver(StreamState stream, StreamState.Handover handover) {
            Optional<ExtentState> extent = image.extent(handover.extentId());
            boolean noProducers = handover.extentId() != 0 && handover.length() == ProducerCheckpoint.EMPTY_BYTES;
            if (noProducers) {
                finish(stream, handover.endOffset(), producers(stream));
            } else if (extent.isEmpty() || extent.get().phase() == ExtentState.Phase.FLUSHED) {
                collect(stream);
            } else {
                attempted(
                        () -> sources.extents().payload(image, extent.get(), checkpointFrame(stream, handover)),
                        ByteBuf::release,
                        payload -> {
                            ProducerStates producers = producers(stream);
                            producers.readFrom(payload);
                            finish(stream, handover.endOffset(), producers);
                        },
                        failure -> collect(stream));
            }
        }

        private FrameEntry checkpointFrame(StreamState stream, StreamState.Handover handover) {
            return new FrameEntry(
                    FrameKind.CHECKPOINT,
                    stream.streamId(),
                    0,
                    handover.endOffset(),
                    0,
                    0,
                    handover.position() - FRAME_HEADER_BYTES,
                    handover.position(),
                    handover.length(),
                    new byte[0]);
        }

        // ---- from catalog and extents

        private void collect(StreamState stream) {
            boolean doubtful = attempts > 0;
            OpeningExtents.Here here = extents.here(image, stream, doubtful);
            if (here.elsewhere().isEmpty()) {
                collected(stream, StreamFrames.of(here.frames()));
            } else {
                attempted(
                        () -> extents.withElsewhere(image, stream, here, doubtful),
                        whole -> {},
                        whole -> collected(stream, StreamFrames.of(whole.frames())),
                        this::again);
            }
        }

        private void collected(StreamState stream, StreamFrames frames) {
            long endOffset = frames.endOffset(stream);
            StreamState.Handover handover = stream.handover();
            if (handover != null && owner.wasHanded(stream) && endOffset != handover.endOffset()) {
                throw new IllegalStateException(StreamFrames.name(stream) + " was handed over with its end at "
                        + handover.endOffset() + ", but its frames go on to " + endOffset + " (P1)");
            }
            ProducerStates producers = producers(stream);
            StreamFrames.Located frame = frames.lastCheckpoint();
            StreamState.Checkpoint published = stream.checkpoint();
            if (frame != null && (published == null || frame.entry().baseOffset() >= published.offset())) {
                fromFrame(stream, frames, frame, endOffset, producers);
            } else if (published != null && published.length() != ProducerCheckpoint.EMPTY_BYTES) {
                fromPublished(stream, frames, published, endOffset, producers);
            } else {
                replay(
                        stream,
                        frames,
                        published == null ? stream.logStartOffset() : published.offset(),
                        endOffset,
                        producers);
            }
        }

        private void fromFrame(
                StreamState stream,
                StreamFrames frames,
                StreamFrames.Located checkpoint,
                long endOffset,
                ProducerStates producers) {
            long offset = checkpoint.entry().baseOffset();
            if (checkpoint.entry().payloadLength() == ProducerCheckpoint.EMPTY_BYTES) {
                replay(stream, frames, offset, endOffset, producers);
                return;
            }
            attempted(
                    () -> sources.extents()
                            .payload(image, image.extent(checkpoint.extentId()).orElseThrow(), checkpoint.entry()),
                    ByteBuf::release,
                    payload -> {
                        producers.readFrom(payload);
                        replay(stream, frames, offset, endOffset, producers);
                    },
                    this::again);
        }

        /** From its frame while some store still has the extent: that is quicker, and needs no object store. */
        private void fromPublished(
                StreamState stream,
                StreamFrames frames,
                StreamState.Checkpoint checkpoint,
                long endOffset,
                ProducerStates producers) {
            ExtentState extent = image.extent(checkpoint.extentId()).orElse(null);
            if (extent == null) {
                fromObject(stream, frames, checkpoint, endOffset, producers);
                return;
            }
            attempted(
                    () -> extents.flushedCheckpoint(image, extent, stream, checkpoint)
                            .thenCompose(frame -> sources.extents().payload(image, extent, frame)),
                    ByteBuf::release,
                    payload -> {
                        producers.readFrom(payload);
                        replay(stream, frames, checkpoint.offset(), endOffset, producers);
                    },
                    gone -> fromObject(stream, frames, checkpoint, endOffset, producers));
        }

        private void fromObject(
                StreamState stream,
                StreamFrames frames,
                StreamState.Checkpoint checkpoint,
                long endOffset,
                ProducerStates producers) {
            long objectBytes = image.object(checkpoint.objectId())
                    .orElseThrow(() -> new IllegalStateException(
                            "O2 broken: checkpoint of stream " + stream.streamId() + " is in no object"))
                    .bytes();
            reads.take(
                    () -> sources.objects()
                            .bytes(checkpoint.objectId(), objectBytes, checkpoint.position(), checkpoint.length()),
                    ByteBuf::release,
                    payload -> {
                        producers.readFrom(payload);
                        replay(stream, frames, checkpoint.offset(), endOffset, producers);
                    });
        }

        /** Batches from the offset on: from the frames' heads if these have all of them, else first what is published. */
        private void replay(
                StreamState stream, StreamFrames frames, long checkpointed, long endOffset, ProducerStates producers) {
            long published = stream.catalogEndOffset();
            // What retention has let go since the checkpoint cannot be replayed any more
            long fromOffset = Math.max(checkpointed, stream.logStartOffset());
            if (fromOffset >= published || frames.cover(fromOffset, published)) {
                replayFrames(stream, frames, fromOffset, endOffset, producers);
            } else {
                replayBatches(
                        producers,
                        stream,
                        fromOffset,
                        published,
                        replayed -> replayFrames(stream, frames, replayed, endOffset, producers));
            }
        }

        /** From the heads up to the first marker of a transaction; what is in a marker lies behind its head, so from there on all is read. */
        private void replayFrames(
                StreamState stream, StreamFrames frames, long fromOffset, long endOffset, ProducerStates producers) {
            long marker = frames.firstMarker(fromOffset, endOffset);
            frames.replay(producers, fromOffset, marker);
            replayBatches(producers, stream, marker, endOffset, end -> finish(stream, endOffset, producers));
        }

        /** One read after the other, each begun by the one before. */
        private void replayBatches(
                ProducerStates producers, StreamState stream, long offset, long end, LongConsumer then) {
            if (offset >= end) {
                then.accept(offset);
                return;
            }
            Consumer<BatchRun> replayed = run -> {
                if (run.isEmpty()) {
                    if (offset >= stream.catalogEndOffset()) {
                        throw new StreamNotReadableException(
                                StreamFrames.name(stream) + " shows no batch at offset " + offset + " now");
                    }
                    throw new IllegalStateException("O2 broken: stream " + stream.streamId()
                            + " has no batch at offset " + offset + " below its catalog's end " + end);
                }
                StreamOpening.replayBatches(producers, run.payload(), offset);
                replayBatches(producers, stream, run.endOffset(), end, then);
            };
            attemptedBelow(stream, offset, end, replayed);
        }

        private void attemptedBelow(StreamState stream, long offset, long end, Consumer<BatchRun> replayed) {
            attempted(
                    () -> sources.reader().read(stream.streamId(), offset, end, REPLAY_BYTES),
                    run -> run.payload().release(),
                    replayed,
                    found::completeExceptionally);
        }

        private void finish(StreamState stream, long endOffset, ProducerStates producers) {
            found.complete(new Found(stream, endOffset, producers, owner.wasHanded(stream)));
        }

        private ProducerStates producers(StreamState stream) {
            ProducerStates fresh =
                    new ProducerStates(new TopicPartition(stream.topic(), stream.partition()), producerConfig, time);
            fresh.beginsAt(stream.logStartOffset());
            return fresh;
        }

        // ---- reads that may fail

        private <T> void attempted(
                Supplier<CompletionStage<T>> read, Consumer<T> release, Consumer<T> then, Consumer<Throwable> failed) {
            reads.take(
                    () -> read.get().handle(Outcome::new),
                    outcome -> {
                        if (outcome.value() != null) {
                            release.accept(outcome.value());
                        }
                    },
                    outcome -> taken(outcome, then, failed));
        }

        private <T> void taken(Outcome<T> outcome, Consumer<T> then, Consumer<Throwable> failed) {
            T value = outcome.value();
            try {
                if (value == null) {
                    failed.accept(outcome.cause());
                } else {
                    then.accept(value);
                }
            } catch (StreamNotReadableException e) {
                again(e);
            }
        }
    }

    /** What a read brought: a value or a failure. */
    private record Outcome<T>(@Nullable T value, @Nullable Throwable failure) {
        Throwable cause() {
            if (failure == null) {
                return new IllegalStateException("a read brought nothing");
            }
            return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        }
    }

    private static void replayBatches(ProducerStates producers, ByteBuf batches, long fromOffset) {
        ByteBuffer buffer = batches.nioBuffer();
        int at = buffer.position();
        while (at < buffer.limit()) {
            if (BatchHeader.lastOffset(buffer, at) >= fromOffset) {
                producers.replay(buffer, at);
            }
            at += BatchHeader.sizeInBytes(buffer, at);
        }
    }
}
