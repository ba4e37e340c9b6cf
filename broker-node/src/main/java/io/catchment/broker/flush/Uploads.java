package io.catchment.broker.flush;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ObjectState;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.bundle.BundleWriter;
import io.catchment.wal.Lane;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.Wal;
import io.netty.buffer.ByteBufAllocator;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the flush loop. From a sealed extent to an object in the store: take an id, load, build, put. An id is taken before anything is
 * written, so a crash at any step leaves at most an object whose id expires and is deleted (O3). After a failure the id is used again while it
 * has time left.
 */
final class Uploads {
    private static final Logger LOG = LoggerFactory.getLogger(Uploads.class);
    private static final int LATE_MAX = 1_000;
    private static final long BARRIER_EVERY_MS = 10_000;

    /**
     * An id and what its object holds, whatever is deleted or published meanwhile: an attempt that lands late must not differ from the one
     * that was published (O1).
     *
     * @param fromOffsets the streams in it, each with the end of what was published of it
     */
    private record Prepared(long objectId, long atNanos, Map<Long, Long> fromOffsets) {}

    private final Wal wal;
    private final ControlPlane controlPlane;
    private final Function<Lane, ObjectStore> stores;
    private final SerialLoop loop;
    private final FlushSettings settings;
    private final int nodeId;
    private final long nodeEpoch;
    private final ByteBufAllocator allocator;
    private final ReapHorizon horizon;
    private final Map<Long, Prepared> prepared = new HashMap<>();
    /** Ids, each with the control log's offset when it was found to be late. */
    private final Map<Long, Long> late = new HashMap<>();

    private boolean deletingLate;
    private long nextBarrierNanos;

    Uploads(
            Wal wal,
            ControlPlane controlPlane,
            Function<Lane, ObjectStore> stores,
            SerialLoop loop,
            FlushSettings settings,
            int nodeId,
            long nodeEpoch,
            ByteBufAllocator allocator,
            ReapHorizon horizon) {
        this.wal = wal;
        this.controlPlane = controlPlane;
        this.stores = stores;
        this.loop = loop;
        this.settings = settings;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.allocator = allocator;
        this.horizon = horizon;
        this.nextBarrierNanos = loop.nanoTime();
    }

    /** Fails with {@link FlushFailure}; completes on any thread. */
    CompletionStage<Uploaded> upload(ExtentState extent) {
        ClusterImage image = controlPlane.image();
        Map<Long, Long> fromOffsets = new HashMap<>();
        for (long stream : wal.streams(extent.extentId())) {
            image.stream(stream).ifPresent(known -> fromOffsets.put(stream, known.catalogEndOffset()));
        }
        if (fromOffsets.isEmpty()) {
            return CompletableFuture.completedStage(Uploaded.NOTHING);
        }
        return FlushFailure.of(Stage.PREPARE, object(extent.extentId(), fromOffsets))
                .thenCompose(object -> FlushFailure.of(Stage.LOAD, wal.load(extent.extentId()))
                        .thenCompose(loaded -> onLoop(() -> put(object, extent, loaded), loaded::close)));
    }

    /** The extent is published, or its object is of no use any more. */
    void forget(long extentId) {
        prepared.remove(extentId);
    }

    void forgetAllBut(Collection<Long> extentIds) {
        prepared.keySet().retainAll(extentIds);
    }

    /**
     * The object's time was over before it was published. It may have been deleted as doomed before its upload ended, and then nobody
     * else would come for it again (O3): {@link #deleteLate} does.
     */
    void discard(long extentId, long objectId) {
        forget(extentId);
        if (late.size() < LATE_MAX) {
            late.put(objectId, controlPlane.image().offset());
        } else {
            LOG.warn("Object {} was uploaded too late and may stay in the store", ObjectKeys.key(objectId));
        }
    }

    /**
     * To be called every now and then while the store answers. Not before no snapshot of the state is kept that has the id as prepared: a
     * recovery from it may take the object for what it is, the data of its extent.
     */
    void deleteLate() {
        if (late.isEmpty() || deletingLate) {
            return;
        }
        deletingLate = true;
        Map<Long, Long> now = Map.copyOf(late);
        FlushFailure.attempt(Stage.REAP, horizon::offset)
                .thenCompose(offset -> delete(now.entrySet().stream()
                        .filter(object -> object.getValue() <= offset)
                        .map(Map.Entry::getKey)
                        .toList()))
                .whenComplete((deleted, failure) -> loop.execute(() -> {
                    deletingLate = false;
                    if (failure == null) {
                        late.keySet().removeAll(deleted);
                        moveHorizon();
                    }
                }));
    }

    /**
     * Snapshots are written of what has changed, and go on by themselves only for what the state knows as doomed, which late objects are not any more. On an
     * idle cluster a barrier is the change that brings the next one.
     */
    private void moveHorizon() {
        long now = loop.nanoTime();
        if (!late.isEmpty() && now - nextBarrierNanos >= 0) {
            nextBarrierNanos = now + TimeUnit.MILLISECONDS.toNanos(BARRIER_EVERY_MS);
            // Without an answer the next one comes in its time
            var unused = controlPlane.barrier();
        }
    }

    private CompletionStage<List<Long>> delete(List<Long> ids) {
        if (ids.isEmpty()) {
            return CompletableFuture.completedStage(ids);
        }
        List<String> keys = ids.stream().map(ObjectKeys::key).toList();
        return FlushFailure.attempt(Stage.REAP, () -> stores.apply(Lane.BULK).delete(keys))
                .thenApply(done -> ids);
    }

    private CompletionStage<Prepared> object(long extentId, Map<Long, Long> fromOffsets) {
        Prepared before = prepared.get(extentId);
        long halfLifeNanos = TimeUnit.MILLISECONDS.toNanos(settings.objectTtlMs()) / 2;
        if (before != null && loop.nanoTime() - before.atNanos() < halfLifeNanos && stillPrepared(before)) {
            return CompletableFuture.completedStage(before);
        }
        long atNanos = loop.nanoTime();
        return controlPlane
                .submit(new Command.PrepareObjects(nodeId, nodeEpoch, 1, settings.objectTtlMs()))
                .thenApply(ids -> {
                    Prepared object = new Prepared(ids.get(0), atNanos, fromOffsets);
                    loop.execute(() -> prepared.put(extentId, object));
                    return object;
                });
    }

    /** The controllers' clock decides, and it may jump. */
    private boolean stillPrepared(Prepared object) {
        return controlPlane
                .image()
                .object(object.objectId())
                .filter(known -> known.phase() == ObjectState.Phase.PREPARED)
                .isPresent();
    }

    /** Closes the loaded extent: what the body still needs of it, the body holds. */
    private CompletionStage<Uploaded> put(Prepared object, ExtentState extent, LoadedExtent loaded) {
        if (!stillPrepared(object)) {
            loaded.close();
            return CompletableFuture.failedStage(FlushFailure.from(
                    Stage.PREPARE,
                    new IllegalStateException("object " + object.objectId() + " expired before its upload began")));
        }
        BundleBuilder.Built built;
        long bytes;
        try (loaded;
                BundleWriter writer = new BundleWriter(allocator)) {
            if (loaded.bytes().writerIndex() != extent.length()) {
                throw new IllegalStateException("extent " + extent.extentId() + " was sealed with length "
                        + extent.length() + ", here it has " + loaded.bytes().writerIndex());
            }
            built = ExtentBundle.build(loaded, object.fromOffsets(), writer);
            bytes = built.body().readableBytes();
        } catch (RuntimeException | OutOfMemoryError failed) {
            return CompletableFuture.failedStage(FlushFailure.from(Stage.LOAD, failed));
        }
        if (built.ranges().isEmpty() && built.checkpoints().isEmpty()) {
            built.body().release();
            return CompletableFuture.completedStage(Uploaded.NOTHING);
        }
        ObjectStore store = stores.apply(Lane.of(extent.lane()));
        return FlushFailure.of(Stage.UPLOAD, store.put(ObjectKeys.key(object.objectId()), built.body()))
                .thenApply(done -> Uploaded.of(object.objectId(), bytes, built.ranges(), built.checkpoints()));
    }

    /** Never ends when the loop has ended: {@code dropped} then gives up what the step would have taken over. */
    private <T> CompletionStage<T> onLoop(Supplier<CompletionStage<T>> step, Runnable dropped) {
        CompletableFuture<T> result = new CompletableFuture<>();
        loop.execute(
                () -> FlushFailure.attempt(Stage.UPLOAD, step).whenComplete((value, failure) -> {
                    if (failure != null) {
                        result.completeExceptionally(failure);
                    } else {
                        result.complete(value);
                    }
                }),
                dropped);
        return result;
    }
}
