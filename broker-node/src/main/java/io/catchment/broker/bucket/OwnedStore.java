package io.catchment.broker.bucket;

import io.catchment.objectstore.ObjectStore;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Thread-safe. A bucket that only its owner changes: a put begins within the validity of a look at the owner's markers, a delete after a
 * look of its own. Reads are everybody's. Closing leaves the store open.
 */
public final class OwnedStore implements ObjectStore {
    private final ObjectStore store;
    private final BucketOwner owner;

    public OwnedStore(ObjectStore store, BucketOwner owner) {
        this.store = store;
        this.owner = owner;
    }

    @Override
    public CompletionStage<Void> put(String key, ByteBuf body) {
        return allowed(body).thenCompose(yes -> store.put(key, body));
    }

    @Override
    public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
        return allowed(body).thenCompose(yes -> store.putIfAbsent(key, body));
    }

    private CompletionStage<Void> allowed(ByteBuf body) {
        if (owner.mayWrite()) {
            return CompletableFuture.completedStage(null);
        }
        return owner.confirm().whenComplete((yes, failure) -> {
            if (failure != null) {
                body.release();
            }
        });
    }

    @Override
    public CompletionStage<ByteBuf> get(String key, long position, int length) {
        return store.get(key, position, length);
    }

    @Override
    public CompletionStage<Void> delete(List<String> keys) {
        return owner.confirm().thenCompose(yes -> store.delete(keys));
    }

    @Override
    public CompletionStage<List<Listed>> list(String prefix) {
        return store.list(prefix);
    }

    @Override
    public void close() {}
}
