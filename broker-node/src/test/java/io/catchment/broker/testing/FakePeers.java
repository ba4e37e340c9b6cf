package io.catchment.broker.testing;

import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameRead;
import io.catchment.wal.PeerExtents;
import io.catchment.wal.StoreRef;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/**
 * Other nodes' stores in memory. A test fills them differently (a store with fewer frames is a replica that lags), cuts them off, or lets
 * them hang. Thread-safe.
 */
public final class FakePeers implements PeerExtents {
    private final Map<StoreRef, MemoryExtents> stores = new ConcurrentHashMap<>();
    private final Set<StoreRef> unreachable = ConcurrentHashMap.newKeySet();
    private final Set<StoreRef> hanging = ConcurrentHashMap.newKeySet();
    private final List<Runnable> late = new CopyOnWriteArrayList<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private volatile Runnable beforeAnswer = () -> {};

    public static StoreRef ref(int nodeId) {
        return new StoreRef(nodeId, "store-" + nodeId);
    }

    /** The store of a node, named as {@link FakeControlPlane} registers it. */
    public MemoryExtents store(int nodeId) {
        return stores.computeIfAbsent(ref(nodeId), holder -> new MemoryExtents());
    }

    public void cutOff(int nodeId) {
        unreachable.add(ref(nodeId));
    }

    /** It takes requests and answers none before {@link #answerLate}. */
    public void hang(int nodeId) {
        hanging.add(ref(nodeId));
    }

    public void answerLate() {
        hanging.clear();
        late.forEach(Runnable::run);
        late.clear();
    }

    /** Runs before each answer. */
    public void beforeAnswer(Runnable hook) {
        beforeAnswer = hook;
    }

    /** What was asked, in order: "node question extent". */
    public List<String> asked() {
        return asked;
    }

    public long askedFor(String question) {
        return asked.stream()
                .filter(each -> each.contains(" " + question + " "))
                .count();
    }

    public long unreleased() {
        return stores.values().stream()
                .mapToLong(store -> store.buffers.unreleased())
                .sum();
    }

    private <T> CompletionStage<T> answer(
            StoreRef holder, String question, long extentId, Supplier<CompletionStage<T>> answer) {
        asked.add(holder.nodeId() + " " + question + " " + extentId);
        if (hanging.contains(holder)) {
            CompletableFuture<T> hung = new CompletableFuture<>();
            late.add(() -> answer.get().whenComplete((value, failure) -> {
                if (failure == null) {
                    hung.complete(value);
                } else {
                    hung.completeExceptionally(failure);
                }
            }));
            return hung;
        }
        if (unreachable.contains(holder) || !stores.containsKey(holder)) {
            return CompletableFuture.failedStage(new IOException(holder + " cannot be reached"));
        }
        beforeAnswer.run();
        return answer.get();
    }

    private MemoryExtents at(StoreRef holder) {
        return stores.computeIfAbsent(holder, any -> new MemoryExtents());
    }

    @Override
    public CompletionStage<OptionalLong> length(StoreRef holder, long extentId) {
        return answer(
                holder,
                "length",
                extentId,
                () -> CompletableFuture.completedStage(at(holder).length(extentId)));
    }

    @Override
    public CompletionStage<long[]> streams(StoreRef holder, long extentId) {
        return answer(
                holder,
                "streams",
                extentId,
                () -> CompletableFuture.completedStage(at(holder).streams(extentId)));
    }

    @Override
    public CompletionStage<List<FrameEntry>> index(StoreRef holder, long extentId, long streamId) {
        return answer(
                holder,
                "index",
                extentId,
                () -> CompletableFuture.completedStage(at(holder).index(extentId, streamId)));
    }

    @Override
    public CompletionStage<Optional<FrameEntry>> floor(StoreRef holder, long extentId, long streamId, long offset) {
        return answer(
                holder,
                "floor",
                extentId,
                () -> CompletableFuture.completedStage(at(holder).floor(extentId, streamId, offset)));
    }

    @Override
    public CompletionStage<FrameRead> read(
            StoreRef holder, long extentId, long streamId, long fromOffset, int bytesMax) {
        return answer(holder, "read", extentId, () -> at(holder).read(extentId, streamId, fromOffset, bytesMax));
    }

    @Override
    public CompletionStage<ByteBuf> payload(StoreRef holder, long extentId, FrameEntry entry) {
        return answer(holder, "payload", extentId, () -> at(holder).payload(extentId, entry));
    }
}
