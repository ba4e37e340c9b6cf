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
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Owned by the flush loop. From a sealed extent to an object in the store: take an id, load, build, put. An id is taken before anything is
 * written, so a crash at any step leaves at most an object whose id expires and is deleted (O3). After a failure the id is used again while it
 * has time left. What may come into the store after that is the {@link ObjectUploader}'s.
 */
final class Uploads {
    /** What is known of the uploads of an object. */
    private enum Fate {
        NONE,
        /** All have failed, which may take effect all the same. */
        UNKNOWN,
        STORED
    }

    /**
     * An id and what its object holds, whatever is deleted or published meanwhile: an attempt that lands late must not differ from the one
     * that was published (O1).
     *
     * @param fromOffsets the streams in it, each with the end of what was published of it
     */
    private record Prepared(long objectId, long atNanos, Map<Long, Long> fromOffsets, Fate fate) {
        Prepared after(boolean stored) {
            return new Prepared(
                    objectId, atNanos, fromOffsets, stored || fate == Fate.STORED ? Fate.STORED : Fate.UNKNOWN);
        }
    }

    private final Wal wal;
    private final ControlPlane controlPlane;
    private final Function<Lane, ObjectStore> stores;
    private final SerialLoop loop;
    private final FlushSettings settings;
    private final int nodeId;
    private final long nodeEpoch;
    private final ByteBufAllocator allocator;
    private final ObjectUploader uploader;
    /** By extent. */
    private final Map<Long, Prepared> prepared = new HashMap<>();
    /** Extents on their way from the disk. Changed by any thread. */
    private final Map<Long, Long> loadingSinceNanos = new ConcurrentHashMap<>();

    Uploads(
            Wal wal,
            ControlPlane controlPlane,
            Function<Lane, ObjectStore> stores,
            SerialLoop loop,
            FlushSettings settings,
            int nodeId,
            long nodeEpoch,
            ByteBufAllocator allocator,
            ObjectUploader uploader) {
        this.wal = wal;
        this.controlPlane = controlPlane;
        this.stores = stores;
        this.loop = loop;
        this.settings = settings;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.allocator = allocator;
        this.uploader = uploader;
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
                .thenCompose(object -> load(extent.extentId())
                        .thenCompose(loaded -> onLoop(() -> put(object, extent, loaded), loaded::close)));
    }

    private CompletionStage<LoadedExtent> load(long extentId) {
        loadingSinceNanos.put(extentId, loop.nanoTime());
        return FlushFailure.attempt(Stage.LOAD, () -> wal.load(extentId))
                .whenComplete((loaded, failure) -> loadingSinceNanos.remove(extentId));
    }

    /** Whether the disk has not given it for long. An upload may take as long, on a slow line; its requests end by themselves. */
    boolean hangs(long extentId) {
        Long since = loadingSinceNanos.get(extentId);
        return since != null && loop.nanoTime() - since >= FlushClaims.HANGS_NANOS;
    }

    /** The extent is published, or its object is of no use any more. */
    void forget(long extentId) {
        giveUp(prepared.remove(extentId));
    }

    void forgetAllBut(Collection<Long> extentIds) {
        prepared.keySet().stream()
                .filter(extent -> !extentIds.contains(extent))
                .toList()
                .forEach(this::forget);
    }

    /** The object's time was over before it was published. It may have been deleted as doomed before its upload ended (O3). */
    void discard(long extentId, long objectId) {
        forget(extentId);
        uploader.endedLate(objectId);
    }

    /** It is not put again. */
    private void giveUp(@Nullable Prepared object) {
        if (object != null && object.fate() == Fate.UNKNOWN) {
            uploader.givenUp(object.objectId());
        }
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
                    Prepared object = new Prepared(ids.get(0), atNanos, fromOffsets, Fate.NONE);
                    loop.execute(() -> giveUp(prepared.put(extentId, object)));
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
        CompletionStage<Void> stored = store.put(ObjectKeys.key(object.objectId()), built.body())
                .whenComplete((done, failure) -> ended(extent.extentId(), object, failure == null));
        return FlushFailure.of(Stage.UPLOAD, stored)
                .thenApply(done -> Uploaded.of(object.objectId(), bytes, built.ranges(), built.checkpoints()));
    }

    /** From any thread. */
    private void ended(long extentId, Prepared object, boolean stored) {
        loop.execute(
                () -> {
                    Prepared present = prepared.get(extentId);
                    if (present != null && present.objectId() == object.objectId()) {
                        prepared.put(extentId, present.after(stored));
                    } else {
                        giveUp(object.after(stored));
                    }
                },
                () -> giveUp(object.after(stored)));
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
