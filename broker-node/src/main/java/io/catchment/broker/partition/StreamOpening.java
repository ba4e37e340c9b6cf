package io.catchment.broker.partition;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.read.BatchRun;
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
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.jspecify.annotations.Nullable;

/**
 * Learns what a new owner must know of a stream: where it ends and which producers it knows (DESIGN §6). Reads the newest
 * checkpoint and the batch headers after it: from the index of unflushed extents, else from the published ranges. Blocks:
 * runs on the opener's own thread.
 */
final class StreamOpening {
    private static final long READ_TIMEOUT_MS = 60_000;
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

    /** Throws {@link IllegalStateException} when acknowledged offsets are missing between the objects and the WAL. */
    Found find(StreamState stream) {
        List<Located> frames = frames(stream);
        long endOffset = stream.catalogEndOffset();
        int lastCheckpoint = -1;
        for (int i = 0; i < frames.size(); i++) {
            FrameEntry entry = frames.get(i).entry();
            if (entry.kind() == FrameKind.CHECKPOINT) {
                lastCheckpoint = i;
            } else if (entry.endOffset() > endOffset) {
                if (entry.baseOffset() > endOffset) {
                    throw new IllegalStateException("stream " + stream.streamId() + " (" + stream.topic() + "-"
                            + stream.partition() + ") misses offsets " + endOffset + " to " + entry.baseOffset()
                            + ": they are in no published range and in no extent of this node");
                }
                endOffset = entry.endOffset();
            }
        }
        ProducerStates producers =
                new ProducerStates(new TopicPartition(stream.topic(), stream.partition()), producerConfig, time);
        if (lastCheckpoint >= 0) {
            Located checkpoint = frames.get(lastCheckpoint);
            load(producers, wal.payload(checkpoint.extentId(), checkpoint.entry()));
            replay(producers, frames, lastCheckpoint + 1, checkpoint.entry().baseOffset());
        } else {
            long replayed = replayPublished(producers, stream);
            replay(producers, frames, 0, replayed);
        }
        return new Found(stream, endOffset, producers);
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

    /** From the published checkpoint to the catalog's end; returns that end. */
    private long replayPublished(ProducerStates producers, StreamState stream) {
        long offset = stream.logStartOffset();
        StreamState.@Nullable Checkpoint checkpoint = stream.checkpoint();
        if (checkpoint != null) {
            long objectBytes = image.object(checkpoint.objectId())
                    .orElseThrow(() -> new IllegalStateException(
                            "O2 broken: checkpoint of stream " + stream.streamId() + " is in no object"))
                    .bytes();
            load(
                    producers,
                    objects.bytes(checkpoint.objectId(), objectBytes, checkpoint.position(), checkpoint.length()));
            offset = checkpoint.offset();
        }
        long end = stream.catalogEndOffset();
        while (offset < end) {
            BatchRun run = await(reader.read(stream.streamId(), offset, end, REPLAY_BYTES));
            try {
                if (run.isEmpty()) {
                    throw new IllegalStateException("O2 broken: stream " + stream.streamId()
                            + " has no batch at offset " + offset + " below its catalog's end " + end);
                }
                replay(producers, run.payload(), offset);
                offset = run.endOffset();
            } finally {
                run.payload().release();
            }
        }
        return Math.max(offset, end);
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

    private static void load(ProducerStates producers, CompletionStage<ByteBuf> payload) {
        ByteBuf bytes = await(payload);
        try {
            producers.readFrom(bytes);
        } finally {
            bytes.release();
        }
    }

    private static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(READ_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while opening a stream", e);
        } catch (java.util.concurrent.ExecutionException | TimeoutException e) {
            throw new IllegalStateException("could not read a stream's state: " + e, e);
        }
    }
}
