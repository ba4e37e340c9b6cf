package io.catchment.broker.flush;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.bundle.BundleWriter;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.Wal;
import io.netty.buffer.ByteBufAllocator;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Owned by the flush loop. From a sealed extent to an object in the store: take an id, load, build, put. An id is taken before anything is
 * written, so a crash at any step leaves at most an object whose id expires and is deleted (O3). After a failure the id is used again while it
 * has time left.
 */
final class Uploads {
    private record Prepared(long objectId, long atNanos) {}

    private final Wal wal;
    private final ControlPlane controlPlane;
    private final ObjectStore store;
    private final FlushLoop loop;
    private final FlushSettings settings;
    private final int nodeId;
    private final long nodeEpoch;
    private final ByteBufAllocator allocator;
    private final Map<Long, Prepared> prepared = new HashMap<>();

    Uploads(
            Wal wal,
            ControlPlane controlPlane,
            ObjectStore store,
            FlushLoop loop,
            FlushSettings settings,
            int nodeId,
            long nodeEpoch,
            ByteBufAllocator allocator) {
        this.wal = wal;
        this.controlPlane = controlPlane;
        this.store = store;
        this.loop = loop;
        this.settings = settings;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.allocator = allocator;
    }

    /** Fails with {@link FlushFailure}; completes on any thread. */
    CompletionStage<Uploaded> upload(long extentId) {
        ClusterImage image = controlPlane.image();
        boolean nothing = Arrays.stream(wal.streams(extentId))
                .noneMatch(stream -> image.stream(stream).isPresent());
        if (nothing) {
            return CompletableFuture.completedStage(Uploaded.NOTHING);
        }
        return FlushFailure.of(Stage.PREPARE, objectId(extentId))
                .thenCompose(objectId -> FlushFailure.of(Stage.LOAD, wal.load(extentId))
                        .thenCompose(loaded -> onLoop(() -> put(objectId, loaded))));
    }

    /** The extent is published, or its object is of no use any more. */
    void forget(long extentId) {
        prepared.remove(extentId);
    }

    private CompletionStage<Long> objectId(long extentId) {
        Prepared before = prepared.get(extentId);
        long halfLifeNanos = TimeUnit.MILLISECONDS.toNanos(settings.objectTtlMs()) / 2;
        if (before != null && loop.nanoTime() - before.atNanos() < halfLifeNanos) {
            return CompletableFuture.completedStage(before.objectId());
        }
        long atNanos = loop.nanoTime();
        return controlPlane
                .submit(new Command.PrepareObjects(nodeId, nodeEpoch, 1, settings.objectTtlMs()))
                .thenApply(ids -> {
                    long objectId = ids.get(0);
                    loop.execute(() -> prepared.put(extentId, new Prepared(objectId, atNanos)));
                    return objectId;
                });
    }

    /** Closes the loaded extent: what the body still needs of it, the body holds. */
    private CompletionStage<Uploaded> put(long objectId, LoadedExtent loaded) {
        BundleBuilder.Built built;
        long bytes;
        try (loaded;
                BundleWriter writer = new BundleWriter(allocator)) {
            ClusterImage image = controlPlane.image();
            built = ExtentBundle.build(loaded, stream -> image.stream(stream).isPresent(), writer);
            bytes = built.body().readableBytes();
        } catch (RuntimeException | OutOfMemoryError failed) {
            return CompletableFuture.failedStage(FlushFailure.from(Stage.LOAD, failed));
        }
        if (built.ranges().isEmpty() && built.checkpoints().isEmpty()) {
            built.body().release();
            return CompletableFuture.completedStage(Uploaded.NOTHING);
        }
        return FlushFailure.of(Stage.UPLOAD, store.put(ObjectKeys.key(objectId), built.body()))
                .thenApply(done -> Uploaded.of(objectId, bytes, built.ranges(), built.checkpoints()));
    }

    private <T> CompletionStage<T> onLoop(Supplier<CompletionStage<T>> step) {
        CompletableFuture<T> result = new CompletableFuture<>();
        loop.execute(() -> FlushFailure.attempt(Stage.UPLOAD, step).whenComplete((value, failure) -> {
            if (failure != null) {
                result.completeExceptionally(failure);
            } else {
                result.complete(value);
            }
        }));
        return result;
    }
}
