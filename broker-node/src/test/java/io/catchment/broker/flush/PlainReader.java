package io.catchment.broker.flush;

import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectBytes;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.manifest.ManifestLoader;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;

/** Bytes of objects as the store has them now, for merges. */
record PlainReader(ObjectStore store, BooleanSupplier fails) implements ObjectBytes {
    @Override
    public CompletionStage<ByteBuf> bytes(long objectId, long objectBytes, long position, int length) {
        return fails.getAsBoolean()
                ? CompletableFuture.failedStage(
                        new ObjectStoreException(ObjectStoreException.Reason.TRANSIENT, "injected", null))
                : store.get(ObjectKeys.key(objectId), position, length);
    }

    @Override
    public CompletionStage<Manifest> manifest(long objectId, long objectBytes) {
        return fails.getAsBoolean()
                ? CompletableFuture.failedStage(
                        new ObjectStoreException(ObjectStoreException.Reason.TRANSIENT, "injected", null))
                : new ManifestLoader(store, () -> {}).load(objectId, objectBytes);
    }
}
