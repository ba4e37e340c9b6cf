package io.catchment.broker.extents;

import io.catchment.broker.extents.LostHoles.Hole;
import io.catchment.broker.flush.BundleEntries;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.bundle.BundleWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * Used on the keeper's loop. Gives up an extent that nobody has any more: what is missing of its streams then ({@link LostHoles}) is published, as
 * batches without records that take the offsets.
 *
 * <p>A stream is contiguous (P1, O2), its epochs begin where something ended, and what was acknowledged once is never another record's offset.
 * So a hole can neither be left, since nobody could open the stream or flush what follows, nor be used again. An empty batch is what Kafka's
 * compaction leaves, and every reader goes on behind it. While there are holes behind what is in no object yet the extent stays, published in part.
 */
final class LostOffsets {
    private static final long OBJECT_LIFE_MS = 600_000;
    private static final int NAMED_MAX = 100;

    /** Holes lie behind records that are in no object yet: these are flushed first. */
    static final class FlushedFirst extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final transient List<Hole> filled;

        FlushedFirst(List<Hole> filled, List<Hole> later) {
            super("what is before these is flushed first: " + named(later));
            this.filled = filled;
        }

        /** Holes before that. */
        List<Hole> filled() {
            return filled;
        }
    }

    private final LostHoles search;
    private final ControlPlane controlPlane;
    private final ObjectStore objects;
    private final LongSupplier wallClockMs;
    private final int nodeId;
    private final long nodeEpoch;
    private final int holesPerCommand;

    /** @param holesPerCommand at most {@link Command.PublishFlush#ENTRIES_MAX} */
    LostOffsets(
            LostHoles search,
            ControlPlane controlPlane,
            ObjectStore objects,
            LongSupplier wallClockMs,
            int nodeId,
            long nodeEpoch,
            int holesPerCommand) {
        this.search = search;
        this.controlPlane = controlPlane;
        this.objects = objects;
        this.wallClockMs = wallClockMs;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.holesPerCommand = holesPerCommand;
    }

    /** For people. */
    static String named(List<Hole> holes) {
        String some = holes.stream().limit(NAMED_MAX).map(Hole::toString).collect(Collectors.joining(", "));
        return some + (holes.size() > NAMED_MAX ? " and " + (holes.size() - NAMED_MAX) + " more" : "");
    }

    /**
     * Completes on any thread, with the holes that were filled. Fails with {@link FlushedFirst} when there are others that cannot be published yet, and as
     * {@link LostHoles#find}.
     *
     * @param lost this extent, and others that nobody has
     */
    CompletionStage<List<Hole>> giveUp(ClusterImage image, ExtentState extent, Set<Long> lost) {
        return search.find(image, extent, lost).thenCompose(found -> publish(
                        extent.extentId(), found.now(), !found.later().isEmpty())
                .thenApply(done -> {
                    if (!found.later().isEmpty()) {
                        throw new FlushedFirst(found.now(), found.later());
                    }
                    return found.now();
                }));
    }

    /** @param partial the extent stays */
    private CompletionStage<Command.Done> publish(long extentId, List<Hole> holes, boolean partial) {
        if (holes.isEmpty()) {
            return partial
                    ? CompletableFuture.completedStage(new Command.Done())
                    : controlPlane.submit(
                            new Command.PublishFlush(nodeId, nodeEpoch, extentId, -1, 0, List.of(), List.of()));
        }
        return controlPlane
                .submit(new Command.PrepareObjects(nodeId, nodeEpoch, 1, OBJECT_LIFE_MS))
                .thenCompose(ids -> {
                    long objectId = ids.get(0);
                    BundleBuilder.Built built = filled(holes);
                    long bytes = built.body().readableBytes();
                    List<NewRange> ranges =
                            built.ranges().stream().map(BundleEntries::range).toList();
                    return objects.put(ObjectKeys.key(objectId), built.body())
                            .thenCompose(stored -> publish(extentId, objectId, bytes, ranges, partial));
                });
    }

    /** As many commands as it takes, one after the other. */
    private CompletionStage<Command.Done> publish(
            long extentId, long objectId, long bytes, List<NewRange> ranges, boolean partial) {
        CompletionStage<Command.Done> published = CompletableFuture.completedStage(new Command.Done());
        for (int from = 0; from < ranges.size(); from += holesPerCommand) {
            int to = Math.min(ranges.size(), from + holesPerCommand);
            Command.PublishFlush part = new Command.PublishFlush(
                    nodeId,
                    nodeEpoch,
                    extentId,
                    objectId,
                    bytes,
                    ranges.subList(from, to),
                    List.of(),
                    partial || to < ranges.size());
            published = published.thenCompose(before -> controlPlane.submit(part));
        }
        return published;
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
