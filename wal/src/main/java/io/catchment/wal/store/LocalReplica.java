package io.catchment.wal.store;

import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.DiskCall;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.loop.Loops;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.WriteGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * This node's own store as a member of an ensemble: messages become tasks on disk threads. Thread-safe. Groups of a lane are
 * written on a loop of that lane and writer, so that one writer's sync does not wait for another's; everything else, which
 * may take long, on the maintenance loop.
 */
public final class LocalReplica implements Replica {
    private static final int REPAIR_BYTES_MAX = 2 << 20;

    private final StoreRef ref;
    private final ExtentStore store;
    private final Loops loops;
    private final Map<String, Loop> appendLoops = new ConcurrentHashMap<>();
    private final Loop maintenance;
    private final Preallocator preallocator;
    private final Map<Long, Loop> loopOfExtent = new ConcurrentHashMap<>();

    public LocalReplica(int nodeId, ExtentStore store, Loops loops, Loop maintenance, long reserveBytes) {
        this.ref = new StoreRef(nodeId, store.storeId());
        this.store = store;
        this.loops = loops;
        this.maintenance = maintenance;
        this.preallocator = new Preallocator(store, reserveBytes, maintenance);
    }

    @Override
    public StoreRef store() {
        return ref;
    }

    @Override
    public CompletionStage<Void> create(ExtentHeader header) {
        return onMaintenance(() -> {
            store.create(header);
            loopOfExtent.put(header.extentId(), appendLoop(header.lane(), header.writerNodeId()));
            preallocator.ensureOneReady(header.lane());
        });
    }

    private Loop appendLoop(Lane lane, int writerNodeId) {
        String name = "disk-" + lane + (writerNodeId == ref.nodeId() ? "" : "-of-" + writerNodeId);
        return appendLoops.computeIfAbsent(name, loops::loop);
    }

    @Override
    public CompletionStage<Appended> append(WriteGroup group) {
        return DiskCall.on(loopOfExtent.getOrDefault(group.extentId(), maintenance), () -> store.append(group));
    }

    @Override
    public void acknowledged(long extentId, long length) {
        store.acknowledged(extentId, length);
    }

    @Override
    public CompletionStage<Void> finish(long extentId, long length) {
        return onMaintenance(() -> {
            loopOfExtent.remove(extentId);
            store.finish(extentId, length);
        });
    }

    @Override
    public CompletionStage<Void> settle(long extentId, long length) {
        return onMaintenance(() -> {
            loopOfExtent.remove(extentId);
            store.settle(extentId, length);
        });
    }

    @Override
    public CompletionStage<Long> fence(ExtentHeader header, long recoveryEpoch) {
        return DiskCall.on(maintenance, () -> store.fence(header, recoveryEpoch));
    }

    @Override
    public CompletionStage<Void> discard(long extentId) {
        CompletableFuture<Void> discarded = new CompletableFuture<>();
        // After the appends that may still be queued: they would only fail loudly.
        maintenance.execute(() -> {
            loopOfExtent.remove(extentId);
            store.discard(extentId, maintenance, failure -> complete(discarded, failure));
        });
        return discarded;
    }

    /** See {@link ExtentStore#verify}. */
    public CompletionStage<Void> verify(long extentId, long length) {
        return onMaintenance(() -> {
            loopOfExtent.remove(extentId);
            store.verify(extentId, length);
        });
    }

    /**
     * Makes this store a holder of a sealed extent: copied piece by piece from the source, verified, then in place of
     * whatever was here of it. Nothing is done if all of it is here already.
     */
    public CompletionStage<Void> repair(ExtentHeader header, long length, Replica source) {
        return DiskCall.on(
                        maintenance,
                        () -> store.whole(header.extentId(), length) || length == 0
                                ? Optional.<ExtentRepair>empty()
                                : Optional.of(store.beginRepair(header, length)))
                .thenCompose(repair -> repair.isEmpty()
                        ? CompletableFuture.<Void>completedStage(null)
                        : copyAll(repair.get(), header.extentId(), source));
    }

    private CompletionStage<Void> copyAll(ExtentRepair repair, long extentId, Replica source) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        copyNext(repair, extentId, source, done);
        return done.whenComplete((value, failure) -> {
            if (failure != null) {
                maintenance.execute(repair::abandon);
            }
        });
    }

    private void copyNext(ExtentRepair repair, long extentId, Replica source, CompletableFuture<Void> done) {
        source.fetch(extentId, repair.position(), REPAIR_BYTES_MAX).whenComplete((piece, failure) -> {
            if (failure != null) {
                done.completeExceptionally(Failures.root(failure));
                return;
            }
            maintenance.execute(() -> {
                try {
                    repair.write(piece);
                    if (repair.complete()) {
                        store.finishRepair(repair);
                        done.complete(null);
                    } else {
                        copyNext(repair, extentId, source, done);
                    }
                } catch (IOException | RuntimeException | OutOfMemoryError failed) {
                    done.completeExceptionally(failed);
                }
            });
        });
    }

    @Override
    public CompletionStage<ByteBuffer> fetch(long extentId, long position, int bytesMax) {
        return DiskCall.on(maintenance, () -> store.fetch(extentId, position, bytesMax));
    }

    @Override
    public CompletionStage<Long> copy(ExtentHeader header, long recoveryEpoch, long position, ByteBuffer bytes) {
        return DiskCall.on(maintenance, () -> store.copy(header, recoveryEpoch, position, bytes));
    }

    /** See {@link ExtentStore#delete}. */
    public CompletionStage<Void> delete(long extentId) {
        CompletableFuture<Void> deleted = new CompletableFuture<>();
        loopOfExtent.remove(extentId);
        store.delete(extentId, maintenance, failure -> complete(deleted, failure));
        return deleted;
    }

    private static void complete(CompletableFuture<Void> stage, @Nullable IOException failure) {
        if (failure == null) {
            stage.complete(null);
        } else {
            stage.completeExceptionally(failure);
        }
    }

    private interface DiskAction {
        void run() throws IOException;
    }

    private CompletionStage<Void> onMaintenance(DiskAction action) {
        return DiskCall.on(maintenance, () -> {
                    action.run();
                    return true;
                })
                .thenAccept(done -> {});
    }
}
