package io.catchment.objectstore.manifest;

import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Immutable. Reads a manifest whole; what is corrupt is read again, then reported. Completes on the store's threads. */
public final class ManifestLoader {
    private static final Logger LOG = LoggerFactory.getLogger(ManifestLoader.class);
    private static final int ATTEMPTS_MAX = 3;

    private final ObjectStore store;
    private final Runnable corrupt;

    /** @param corrupt hears of each reading that was not what was written */
    public ManifestLoader(ObjectStore store, Runnable corrupt) {
        this.store = store;
        this.corrupt = corrupt;
    }

    /** @param objectBytes of the manifest, as the control plane knows them */
    public CompletableFuture<Manifest> load(long objectId, long objectBytes) {
        if (objectBytes < ManifestCodec.bytes(1) || objectBytes > ManifestCodec.bytes(ManifestCodec.ENTRIES_MAX)) {
            return CompletableFuture.failedFuture(
                    new ObjectStoreException(Reason.CORRUPT, "a manifest of " + objectBytes + " bytes", null));
        }
        return attempt(objectId, (int) objectBytes, 1);
    }

    private CompletableFuture<Manifest> attempt(long objectId, int objectBytes, int attempt) {
        String key = ObjectKeys.key(objectId);
        return store.get(key, 0, objectBytes)
                .thenApply(ManifestLoader::read)
                .toCompletableFuture()
                .exceptionallyCompose(failure -> {
                    Throwable cause = failure instanceof CompletionException && failure.getCause() != null
                            ? failure.getCause()
                            : failure;
                    if (!(cause instanceof ObjectStoreException known) || known.reason() != Reason.CORRUPT) {
                        return CompletableFuture.failedFuture(cause);
                    }
                    corrupt.run();
                    if (attempt < ATTEMPTS_MAX) {
                        LOG.warn("object {}: {}; reading again", key, cause.getMessage());
                        return attempt(objectId, objectBytes, attempt + 1);
                    }
                    LOG.error(
                            "object {} of {} bytes is not the manifest that was written, nothing of it is used (O4)",
                            key,
                            objectBytes);
                    return CompletableFuture.failedFuture(new ObjectStoreException(
                            Reason.CORRUPT, "object " + key + ": " + cause.getMessage(), cause));
                });
    }

    private static Manifest read(ByteBuf bytes) {
        try {
            return ManifestCodec.read(bytes);
        } finally {
            bytes.release();
        }
    }
}
