package io.catchment.broker.verify;

import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A real store in which a test does something just before the n-th listing, or that fails. Used by one thread at a time. */
final class WatchedStore implements ObjectStore {
    private final ObjectStore store;
    private final Map<Integer, Runnable> beforeListing = new HashMap<>();
    final List<String> deletedKeys = new ArrayList<>();
    final Set<String> manifests = new HashSet<>();
    int listings;

    @Nullable
    ObjectStoreException failure;

    WatchedStore(ObjectStore store) {
        this.store = store;
    }

    /** @param listing 1 for the first */
    void beforeListing(int listing, Runnable step) {
        beforeListing.put(listing, step);
    }

    void put(long objectId, int bytes) {
        put(ObjectKeys.key(objectId), bytes);
    }

    void put(String key, int bytes) {
        put(key, new byte[bytes]);
    }

    void put(String key, byte[] bytes) {
        store.put(key, Unpooled.wrappedBuffer(bytes)).toCompletableFuture().join();
    }

    /** By somebody else. */
    void remove(long objectId) {
        store.delete(List.of(ObjectKeys.key(objectId))).toCompletableFuture().join();
    }

    List<String> keys() {
        return store.list("").toCompletableFuture().join().stream()
                .map(Listed::key)
                .toList();
    }

    @Override
    public CompletionStage<Void> put(String key, ByteBuf body) {
        throw new AssertionError("a verification writes nothing");
    }

    @Override
    public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
        throw new AssertionError("a verification writes nothing");
    }

    @Override
    public CompletionStage<ByteBuf> get(String key, long position, int length) {
        if (!manifests.contains(key)) {
            throw new AssertionError("a verification reads no object but manifests");
        }
        return store.get(key, position, length);
    }

    @Override
    public CompletionStage<Void> delete(List<String> keys) {
        deletedKeys.addAll(keys);
        return store.delete(keys);
    }

    @Override
    public CompletionStage<List<Listed>> list(String prefix) {
        beforeListing.getOrDefault(++listings, () -> {}).run();
        return failure == null ? store.list(prefix) : CompletableFuture.failedFuture(failure);
    }

    @Override
    public void close() {
        store.close();
    }
}
