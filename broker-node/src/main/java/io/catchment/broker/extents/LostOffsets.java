package io.catchment.broker.extents;

import io.catchment.broker.flush.BundleEntries;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.Writer;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.bundle.BundleWriter;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * Owned by the keeper's loop. Gives up an extent that nobody has any more: what is known to be missing of its streams then is published, as
 * batches without records that take the offsets.
 *
 * <p>A stream is contiguous (P1, O2), its epochs begin where something ended, and what was acknowledged once is never another record's offset.
 * So a hole can neither be left, since nobody could open the stream or flush what follows, nor be used again. An empty batch is what Kafka's
 * compaction leaves, and every reader goes on behind it. The hole ends where the next frame begins that somebody still has, or else where the stream is known
 * to have come to: at its last epoch's start, or a published state of its producers.
 */
final class LostOffsets {
    private static final long OBJECT_LIFE_MS = 600_000;
    private static final int NAMED_MAX = 100;

    /**
     * What was done.
     *
     * @param filled holes
     * @param doubtful streams that other nodes may have records of: this one cannot tell where they have holes, and leaves them
     */
    record GivenUp(List<Hole> filled, List<StreamState> doubtful) {
        @Override
        public String toString() {
            return "Gone for certain, and empty from now on: " + (filled.isEmpty() ? "nothing" : named(filled))
                    + (doubtful.isEmpty()
                            ? ""
                            : "; cannot be judged from here, and may stay unavailable: "
                                    + named(doubtful.stream()
                                            .map(LostOffsets::name)
                                            .toList()));
        }

        private static String named(List<?> all) {
            String some = all.stream().limit(NAMED_MAX).map(Object::toString).collect(Collectors.joining(", "));
            return some + (all.size() > NAMED_MAX ? " and " + (all.size() - NAMED_MAX) + " more" : "");
        }
    }

    /** A hole lies behind records that this node has and that are in no object yet. */
    static final class FlushedFirst extends RuntimeException {
        private static final long serialVersionUID = 1;

        FlushedFirst(String message) {
            super(message);
        }
    }

    /** Offsets of one stream. */
    record Hole(StreamState stream, long fromOffset, long toOffset) {
        @Override
        public String toString() {
            return name(stream) + " offsets " + fromOffset + " to " + (toOffset - 1);
        }
    }

    private final LocalStore wal;
    private final ControlPlane controlPlane;
    private final ObjectStore objects;
    private final LongSupplier wallClockMs;
    private final int nodeId;
    private final long nodeEpoch;

    LostOffsets(
            LocalStore wal,
            ControlPlane controlPlane,
            ObjectStore objects,
            LongSupplier wallClockMs,
            int nodeId,
            long nodeEpoch) {
        this.wal = wal;
        this.controlPlane = controlPlane;
        this.objects = objects;
        this.wallClockMs = wallClockMs;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
    }

    /**
     * Completes on any thread.
     *
     * @param lost this extent, and others that nobody has
     * @throws FlushedFirst when a hole cannot be published yet
     * @throws IllegalStateException when what is left of a stream cannot be told yet
     */
    CompletionStage<GivenUp> giveUp(ClusterImage image, ExtentState extent, Set<Long> lost) {
        GivenUp found = find(image, extent, lost);
        List<Hole> holes = found.filled();
        long id = extent.extentId();
        if (holes.isEmpty()) {
            return controlPlane
                    .submit(new Command.PublishFlush(nodeId, nodeEpoch, id, -1, 0, List.of(), List.of()))
                    .thenApply(done -> found);
        }
        return controlPlane
                .submit(new Command.PrepareObjects(nodeId, nodeEpoch, 1, OBJECT_LIFE_MS))
                .thenCompose(ids -> {
                    long objectId = ids.get(0);
                    BundleBuilder.Built built = filled(holes);
                    long bytes = built.body().readableBytes();
                    return objects.put(ObjectKeys.key(objectId), built.body())
                            .thenCompose(stored -> controlPlane.submit(new Command.PublishFlush(
                                    nodeId,
                                    nodeEpoch,
                                    id,
                                    objectId,
                                    bytes,
                                    built.ranges().stream()
                                            .map(BundleEntries::range)
                                            .toList(),
                                    List.of())));
                })
                .thenApply(done -> found);
    }

    // ---- which

    /** At most one of each stream: the first. */
    private GivenUp find(ClusterImage image, ExtentState extent, Set<Long> lost) {
        Map<Writer, List<ExtentState>> unflushed = new HashMap<>();
        for (ExtentState each : image.extents()) {
            if (each.phase() != ExtentState.Phase.FLUSHED && !lost.contains(each.extentId())) {
                unflushed
                        .computeIfAbsent(
                                new Writer(each.writerNodeId(), each.writerEpoch()), writer -> new ArrayList<>())
                        .add(each);
            }
        }
        Writer writer = new Writer(extent.writerNodeId(), extent.writerEpoch());
        Set<Long> here = new HashSet<>(wal.extents());
        Set<Long> unsettled = new HashSet<>(wal.unsettled());
        GivenUp found = new GivenUp(new ArrayList<>(), new ArrayList<>());
        for (StreamState stream : image.streams()) {
            if (stream.writers().contains(writer)) {
                List<ExtentState> left = stream.writers().stream()
                        .flatMap(each -> unflushed.getOrDefault(each, List.of()).stream())
                        .toList();
                look(stream, left, here, unsettled, found);
            }
        }
        return found;
    }

    private void look(StreamState stream, List<ExtentState> left, Set<Long> here, Set<Long> unsettled, GivenUp found) {
        long end = stream.catalogEndOffset();
        long known = knownEnd(stream);
        List<FrameEntry> frames = new ArrayList<>();
        for (ExtentState extent : left) {
            if (extent.isSealed() && extent.length() == 0) {
                continue;
            }
            if (extent.phase() == ExtentState.Phase.RECOVERING || unsettled.contains(extent.extentId())) {
                throw new IllegalStateException("extent " + extent.extentId() + " may have records of " + name(stream)
                        + ": it is recovered, settled or repaired first");
            }
            if (!here.contains(extent.extentId())) {
                found.doubtful().add(stream);
                return;
            }
            frames.addAll(wal.index(extent.extentId(), stream.streamId()));
        }
        frames.removeIf(frame -> frame.kind() != FrameKind.DATA);
        frames.sort(Comparator.comparingLong(FrameEntry::baseOffset));
        for (FrameEntry frame : frames) {
            if (frame.baseOffset() > end) {
                known = frame.baseOffset();
                break;
            }
            end = Math.max(end, frame.endOffset());
        }
        if (known > end) {
            if (end > stream.catalogEndOffset()) {
                throw new FlushedFirst("what is before offset " + end + " of " + name(stream) + " is flushed first");
            }
            found.filled().add(new Hole(stream, end, known));
        }
    }

    private static String name(StreamState stream) {
        return stream.topic() + "-" + stream.partition();
    }

    private static long knownEnd(StreamState stream) {
        List<StreamState.EpochStart> starts = stream.epochStarts();
        StreamState.Checkpoint checkpoint = stream.checkpoint();
        return Math.max(
                starts.isEmpty() ? 0 : starts.get(starts.size() - 1).startOffset(),
                checkpoint == null ? 0 : checkpoint.offset());
    }

    // ---- with what

    private BundleBuilder.Built filled(List<Hole> holes) {
        long now = wallClockMs.getAsLong();
        try (BundleWriter writer = new BundleWriter(UnpooledByteBufAllocator.DEFAULT)) {
            holes.stream()
                    .sorted(Comparator.comparingLong(hole -> hole.stream().streamId()))
                    .forEach(hole -> {
                        writer.stream(hole.stream().streamId());
                        writer.payload(
                                hole.fromOffset(), hole.toOffset(), RecordBatch.NO_TIMESTAMP, now, batches(hole));
                    });
            return writer.build();
        }
    }

    /** Without records, producer and time; a batch takes up to 2^31 offsets. */
    static ByteBuf batches(Hole hole) {
        ByteBuf all = Unpooled.buffer(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
        for (long from = hole.fromOffset(); from < hole.toOffset(); ) {
            long last = Math.min(hole.toOffset() - 1, from + Integer.MAX_VALUE);
            ByteBuffer batch = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
            DefaultRecordBatch.writeEmptyHeader(
                    batch,
                    RecordBatch.MAGIC_VALUE_V2,
                    RecordBatch.NO_PRODUCER_ID,
                    RecordBatch.NO_PRODUCER_EPOCH,
                    RecordBatch.NO_SEQUENCE,
                    from,
                    last,
                    epochAt(hole.stream(), from),
                    TimestampType.CREATE_TIME,
                    RecordBatch.NO_TIMESTAMP,
                    false,
                    false);
            all.writeBytes(batch.flip());
            from = last + 1;
        }
        return all;
    }

    private static int epochAt(StreamState stream, long offset) {
        int epoch = 0;
        for (StreamState.EpochStart start : stream.epochStarts()) {
            if (start.startOffset() <= offset) {
                epoch = start.epoch();
            }
        }
        return epoch;
    }
}
