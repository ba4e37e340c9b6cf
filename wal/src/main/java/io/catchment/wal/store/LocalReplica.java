package io.catchment.wal.store;

import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.WriteGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/**
 * This node's own store as a member of an ensemble: messages become tasks on disk threads. Thread-safe. Groups of a lane are
 * written on a loop of that lane; everything else, which may take long, on the maintenance loop.
 */
public final class LocalReplica implements Replica {
    private final StoreRef ref;
    private final ExtentStore store;
    private final Map<Lane, Loop> appendLoops;
    private final Loop maintenance;
    private final Preallocator preallocator;
    private final Map<Long, Loop> loopOfExtent = new ConcurrentHashMap<>();

    public LocalReplica(
            int nodeId, ExtentStore store, Map<Lane, Loop> appendLoops, Loop maintenance, long reserveBytes) {
        this.ref = new StoreRef(nodeId, store.storeId());
        this.store = store;
        this.appendLoops = Map.copyOf(appendLoops);
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
            Loop loop = appendLoops.get(header.lane());
            loopOfExtent.put(header.extentId(), loop == null ? maintenance : loop);
            preallocator.ensureOneReady();
        });
    }

    @Override
    public CompletionStage<Appended> append(WriteGroup group) {
        return on(loopOfExtent.getOrDefault(group.extentId(), maintenance), () -> store.append(group));
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
    public CompletionStage<Long> fence(long extentId, long recoveryEpoch) {
        return on(maintenance, () -> store.fence(extentId, recoveryEpoch));
    }

    @Override
    public CompletionStage<ByteBuffer> fetch(long extentId, long position, int bytesMax) {
        return on(maintenance, () -> store.fetch(extentId, position, bytesMax));
    }

    @Override
    public CompletionStage<Long> copy(ExtentHeader header, long recoveryEpoch, long position, ByteBuffer bytes) {
        return on(maintenance, () -> store.copy(header, recoveryEpoch, position, bytes));
    }

    /** See {@link ExtentStore#delete}. */
    public CompletionStage<Void> delete(long extentId) {
        CompletableFuture<Void> deleted = new CompletableFuture<>();
        store.delete(extentId, maintenance, failure -> {
            if (failure == null) {
                deleted.complete(null);
            } else {
                deleted.completeExceptionally(failure);
            }
        });
        return deleted;
    }

    private interface DiskTask<T> {
        T run() throws IOException;
    }

    private interface DiskAction {
        void run() throws IOException;
    }

    private CompletionStage<Void> onMaintenance(DiskAction action) {
        CompletableFuture<Void> answer = new CompletableFuture<>();
        maintenance.execute(() -> {
            try {
                action.run();
                answer.complete(null);
            } catch (IOException | RuntimeException failed) {
                answer.completeExceptionally(failed);
            }
        });
        return answer;
    }

    private static <T> CompletionStage<T> on(Executor loop, DiskTask<T> task) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                answer.complete(task.run());
            } catch (IOException | RuntimeException failed) {
                answer.completeExceptionally(failed);
            }
        });
        return answer;
    }
}
