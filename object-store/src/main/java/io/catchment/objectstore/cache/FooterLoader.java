package io.catchment.objectstore.cache;

import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.bundle.BundleFooter;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Immutable. Reads the footer of an object: the last bytes first, more if it is longer; what is corrupt is read again, then reported. */
public final class FooterLoader {
    private static final Logger LOG = LoggerFactory.getLogger(FooterLoader.class);
    private static final int ATTEMPTS_MAX = 3;

    private final ObjectStore store;
    private final Runnable corrupt;

    /** @param corrupt called for each footer that is not what was written */
    public FooterLoader(ObjectStore store, Runnable corrupt) {
        this.store = store;
        this.corrupt = corrupt;
    }

    /** Fails with {@link ObjectStoreException}. */
    public CompletableFuture<BundleFooter> load(long objectId, long objectBytes) {
        return attempt(objectId, objectBytes, 1);
    }

    private CompletableFuture<BundleFooter> attempt(long objectId, long objectBytes, int attempt) {
        int tail = (int) Math.min(objectBytes, BundleFooter.TAIL_BYTES);
        return read(objectId, objectBytes, tail).exceptionallyCompose(failure -> {
            Throwable cause = StageFailure.cause(failure);
            if (!(cause instanceof ObjectStoreException known) || known.reason() != Reason.CORRUPT) {
                return CompletableFuture.failedFuture(cause);
            }
            corrupt.run();
            String key = ObjectKeys.key(objectId);
            if (attempt < ATTEMPTS_MAX) {
                LOG.warn("footer of object {}: {}; reading again", key, cause.getMessage());
                return attempt(objectId, objectBytes, attempt + 1);
            }
            LOG.error(
                    "the footer of object {} of {} bytes is not what was written, nothing of it is served (O4)",
                    key,
                    objectBytes);
            return CompletableFuture.failedFuture(new ObjectStoreException(
                    Reason.CORRUPT, "footer of object " + key + ": " + cause.getMessage(), cause));
        });
    }

    private CompletableFuture<BundleFooter> read(long objectId, long objectBytes, int tailBytes) {
        String key = ObjectKeys.key(objectId);
        return store.get(key, objectBytes - tailBytes, tailBytes)
                .thenCompose(tail -> {
                    try {
                        int needed = BundleFooter.footerAndTrailerBytes(tail, objectBytes);
                        if (needed > tail.readableBytes()) {
                            return read(objectId, objectBytes, needed);
                        }
                        ByteBuf exact = tail.slice(tail.writerIndex() - needed, needed);
                        return CompletableFuture.completedFuture(BundleFooter.read(exact, objectBytes));
                    } finally {
                        tail.release();
                    }
                })
                .toCompletableFuture();
    }
}
