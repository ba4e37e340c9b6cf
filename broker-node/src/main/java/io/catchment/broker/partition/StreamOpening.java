package io.catchment.broker.partition;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.read.StreamReader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.ObjectReader;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Wal;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.jspecify.annotations.Nullable;

/**
 * Learns what a new owner must know of a stream: where it ends and which producers it knows (DESIGN §6). Reads the newest
 * checkpoint and the batch headers after it: from the index of unflushed extents, else from the published ranges. Owned by the
 * opener's thread; extents' indexes are read on it, all else by {@link Reads}.
 */
final class StreamOpening {
    private static final int REPLAY_BYTES = 1 << 20;

    private final Wal wal;
    private final StreamReader reader;
    private final ObjectReader objects;
    private final ProducerStateManagerConfig producerConfig;
    private final Time time;
    private final ClusterImage image;
    private final List<Long> unflushed;

    /** The state of one stream as found, not yet claimed. */
    record Found(StreamState stream, long endOffset, ProducerStates producers) {}

    private record Located(long extentId, FrameEntry entry) {}

    StreamOpening(
            Wal wal,
            StreamReader reader,
            ObjectReader objects,
            ProducerStateManagerConfig producerConfig,
            Time time,
            ClusterImage image) {
        this.wal = wal;
        this.reader = reader;
        this.objects = objects;
        this.producerConfig = producerConfig;
        this.time = time;
        this.image = image;
        this.unflushed = unflushed(wal, image);
    }

    private static List<Long> unflushed(Wal wal, ClusterImage image) {
        List<Long> result = new ArrayList<>();
        for (long extentId : wal.extents()) {
            if (image.extent(extentId)
                    .filter(extent -> extent.phase() != ExtentState.Phase.FLUSHED)
                    .isPresent()) {
                result.add(extentId);
            }
        }
        return result;
    }

    /** How a stream's reads are made. */
    interface Reads {
        /** What the read brings is given to {@code then} on the caller's thread, and released after it; a failure ends the stream's opening. */
        <T> void take(Supplier<CompletionStage<T>> read, Consumer<T> release, Consumer<T> then);
    }

    /**
     * Completes {@code found}, now or when its reads have brought what is needed; fails it with {@link IllegalStateException} when
     * acknowledged offsets are missing between the objects and the WAL.
     */
    void find(StreamState stream, Reads reads, CompletableFuture<Found> found) {
        try {
            begin(stream, reads, found);
        } catch (RuntimeException e) {
            found.completeExceptionally(e);
        }
    }

    private void begin(StreamState stream, Reads reads, CompletableFuture<Found> found) {
        List<Located> frames = frames(stream);
        long endOffset = endOffset(stream, frames);
        int lastCheckpoint = lastCheckpoint(frames);
        ProducerStates producers =
                new ProducerStates(new TopicPartition(stream.topic(), stream.partition()), producerConfig, time);
        if (lastCheckpoint >= 0) {
            Located checkpoint = frames.get(lastCheckpoint);
            reads.take(() -> wal.payload(checkpoint.extentId(), checkpoint.entry()), ByteBuf::release, payload -> {
                producers.readFrom(payload);
                replay(producers, frames, lastCheckpoint + 1, checkpoint.entry().baseOffset());
                found.complete(new Found(stream, endOffset, producers));
            });
        } else {
            replayPublished(producers, stream, reads, replayed -> {
                replay(producers, frames, 0, replayed);
                found.complete(new Found(stream, endOffset, producers));
            });
        }
    }

    private static long endOffset(StreamState stream, List<Located> frames) {
        long endOffset = stream.catalogEndOffset();
        for (Located frame : frames) {
            FrameEntry entry = frame.entry();
            if (entry.kind() == FrameKind.DATA && entry.endOffset() > endOffset) {
                if (entry.baseOffset() > endOffset) {
                    throw new IllegalStateException("stream " + stream.streamId() + " (" + stream.topic() + "-"
                            + stream.partition() + ") misses offsets " + endOffset + " to " + entry.baseOffset()
                            + ": they are in no published range and in no extent of this node");
                }
                endOffset = entry.endOffset();
            }
        }
        return endOffset;
    }

    private static int lastCheckpoint(List<Located> frames) {
        int last = -1;
        for (int i = 0; i < frames.size(); i++) {
            if (frames.get(i).entry().kind() == FrameKind.CHECKPOINT) {
                last = i;
            }
        }
        return last;
    }

    /** DATA frames past the catalog and all CHECKPOINT frames of unflushed extents, by offset, a checkpoint after its data. */
    private List<Located> frames(StreamState stream) {
        List<Located> frames = new ArrayList<>();
        for (long extentId : unflushed) {
            for (FrameEntry entry : wal.index(extentId, stream.streamId())) {
                frames.add(new Located(extentId, entry));
            }
        }
        frames.sort(Comparator.comparingLong((Located frame) -> frame.entry().endOffset())
                .thenComparing(frame -> frame.entry().kind()));
        return frames;
    }

    private static void replay(ProducerStates producers, List<Located> frames, int from, long fromOffset) {
        for (int i = from; i < frames.size(); i++) {
            FrameEntry entry = frames.get(i).entry();
            if (entry.kind() == FrameKind.DATA && entry.baseOffset() >= fromOffset) {
                producers.replay(ByteBuffer.wrap(entry.head()), 0);
            }
        }
    }

    /** From the published checkpoint to the catalog's end, which {@code then} gets. */
    private void replayPublished(ProducerStates producers, StreamState stream, Reads reads, LongConsumer then) {
        long end = stream.catalogEndOffset();
        StreamState.@Nullable Checkpoint checkpoint = stream.checkpoint();
        if (checkpoint == null) {
            replayPublished(producers, stream, stream.logStartOffset(), end, reads, then);
            return;
        }
        long objectBytes = image.object(checkpoint.objectId())
                .orElseThrow(() -> new IllegalStateException(
                        "O2 broken: checkpoint of stream " + stream.streamId() + " is in no object"))
                .bytes();
        reads.take(
                () -> objects.bytes(checkpoint.objectId(), objectBytes, checkpoint.position(), checkpoint.length()),
                ByteBuf::release,
                payload -> {
                    producers.readFrom(payload);
                    replayPublished(producers, stream, checkpoint.offset(), end, reads, then);
                });
    }

    /** One read after the other, each begun by the one before. */
    private void replayPublished(
            ProducerStates producers, StreamState stream, long offset, long end, Reads reads, LongConsumer then) {
        if (offset >= end) {
            then.accept(offset);
            return;
        }
        reads.take(
                () -> reader.read(stream.streamId(), offset, end, REPLAY_BYTES),
                run -> run.payload().release(),
                run -> {
                    if (run.isEmpty()) {
                        throw new IllegalStateException("O2 broken: stream " + stream.streamId()
                                + " has no batch at offset " + offset + " below its catalog's end " + end);
                    }
                    replay(producers, run.payload(), offset);
                    replayPublished(producers, stream, run.endOffset(), end, reads, then);
                });
    }

    private static void replay(ProducerStates producers, ByteBuf batches, long fromOffset) {
        ByteBuffer buffer = batches.nioBuffer();
        int at = buffer.position();
        while (at < buffer.limit()) {
            if (BatchHeader.baseOffset(buffer, at) >= fromOffset) {
                producers.replay(buffer, at);
            }
            at += BatchHeader.sizeInBytes(buffer, at);
        }
    }
}
