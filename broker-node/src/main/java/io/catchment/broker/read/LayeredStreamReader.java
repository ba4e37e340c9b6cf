package io.catchment.broker.read;

import io.catchment.broker.manifest.Manifests;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.ObjectReader;
import io.catchment.objectstore.ReadClass;
import io.catchment.wal.Wal;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongPredicate;
import java.util.function.Supplier;

/**
 * All levels below the tail: extents on this node's NVMe, then published objects through the block cache, then extents that are on
 * other nodes only (DESIGN §8).
 * Thread-safe: each read is a {@link LayeredRead} of its own.
 */
public final class LayeredStreamReader implements StreamReader {
    private static final int CATCH_UP_EXTENT_READS = 2;
    /** Longer than a disk that works takes; short against the half second that a fetch of a stock consumer waits. */
    private static final long DISK_PATIENCE_MS = 400;

    final Wal wal;
    final StreamExtents streamExtents;
    final ExtentLocator extents;
    final ObjectReader objects;
    final Manifests manifests;
    final Supplier<ClusterImage> image;
    final ReadBudgets budgets;
    /** Those who catch up leave the disk, and whoever reads it for others, to readers near the tail and to the WAL. */
    final ReadGate catchUpExtents = new ReadGate(CATCH_UP_EXTENT_READS);

    final LocalDisk disk;
    final Executor searches;
    final LongAdder extentReads = new LongAdder();
    final LongAdder extentBytes = new LongAdder();
    final LongAdder peerReads = new LongAdder();
    final LongAdder peerBytes = new LongAdder();
    final LongAdder objectReads = new LongAdder();
    final LongAdder objectBytes = new LongAdder();

    /** Of a node that is alone. */
    public LayeredStreamReader(
            Wal wal, ObjectReader objects, Supplier<ClusterImage> image, ReadBudgets budgets, Executor searches) {
        this(StreamExtents.alone(wal), objects, image, budgets, searches);
    }

    /** @param searches where this node's extents are searched for an offset, which may wait for the disk */
    public LayeredStreamReader(
            StreamExtents streamExtents,
            ObjectReader objects,
            Supplier<ClusterImage> image,
            ReadBudgets budgets,
            Executor searches) {
        this(streamExtents, objects, image, budgets, searches, DISK_PATIENCE_MS);
    }

    /** @param diskPatienceMs how long this node's disk is waited for while others may have what it does not give */
    LayeredStreamReader(
            StreamExtents streamExtents,
            ObjectReader objects,
            Supplier<ClusterImage> image,
            ReadBudgets budgets,
            Executor searches,
            long diskPatienceMs) {
        this.wal = streamExtents.wal();
        this.streamExtents = streamExtents;
        this.extents = new ExtentLocator(wal);
        this.objects = objects;
        this.manifests = new Manifests(objects);
        this.image = image;
        this.budgets = budgets;
        this.disk = new LocalDisk(streamExtents.isAlone() ? 0 : diskPatienceMs);
        this.searches = searches;
    }

    @Override
    public CompletionStage<BatchRun> read(long streamId, long fromOffset, long limitOffset, int bytesMax) {
        return read(streamId, fromOffset, limitOffset, bytesMax, ReadClass.TAIL);
    }

    @Override
    public CompletionStage<BatchRun> read(
            long streamId, long fromOffset, long limitOffset, int bytesMax, ReadClass as) {
        if (fromOffset >= limitOffset) {
            return CompletableFuture.completedFuture(BatchRuns.empty(fromOffset));
        }
        ReadBudget budget = budgets.of(as);
        int granted = budget.share(bytesMax);
        CompletableFuture<Void> grant = budget.acquire(granted);
        LayeredRead read = new LayeredRead(this, streamId, fromOffset, limitOffset, granted, as);
        if (grant.isDone() && !grant.isCompletedExceptionally()) {
            read.start();
        } else {
            read.startAfter(grant);
        }
        return read.result();
    }

    @Override
    public CompletionStage<BatchRun> readIfRoom(
            long streamId, long fromOffset, long limitOffset, int bytesMax, ReadClass as) {
        ReadBudget budget = budgets.of(as);
        int granted = budget.share(bytesMax);
        if (fromOffset >= limitOffset || !budget.tryAcquire(granted)) {
            return CompletableFuture.completedFuture(BatchRuns.empty(fromOffset));
        }
        LayeredRead read = new LayeredRead(this, streamId, fromOffset, limitOffset, granted, as);
        read.start();
        return read.result();
    }

    /** By the catalog: a read ends where its range does, and an extent that has these offsets too has the same batches. */
    @Override
    public int bytesAtMost(long streamId, long fromOffset, int bytesMax) {
        return image.get().stream(streamId)
                .flatMap(stream -> stream.range(fromOffset))
                .map(range -> Math.min(range.length(), bytesMax))
                .orElse(bytesMax);
    }

    /** Unflushed extents of the stream of which this node's store does not give all, by id; none for a node that is alone. */
    List<ExtentState> elsewhere(ClusterImage image, StreamState stream, LongPredicate unreadableHere) {
        if (streamExtents.isAlone()) {
            return List.of();
        }
        List<ExtentState> extents = streamExtents.unflushed(image, stream);
        extents.removeIf(extent -> streamExtents.isWholeHere(extent) && !unreadableHere.test(extent.extentId()));
        return extents;
    }

    /** For metrics: what each level has served since start. */
    public Served served() {
        return new Served(
                extentReads.sum(),
                extentBytes.sum(),
                peerReads.sum(),
                peerBytes.sum(),
                objectReads.sum(),
                objectBytes.sum());
    }

    /** Reads and bytes by level: extents of this node, extents on other nodes, objects. */
    public record Served(
            long extentReads, long extentBytes, long peerReads, long peerBytes, long objectReads, long objectBytes) {
        public static final Served NONE = new Served(0, 0, 0, 0, 0, 0);
    }
}
