package io.catchment.objectstore.cache;

import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.ReadClass;
import io.catchment.objectstore.bundle.BundleFooter;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Immutable. Reads the footer of an object: the last bytes first, more if it is longer; what is corrupt is read again after a pause, then reported. */
public final class FooterLoader {
    private static final Logger LOG = LoggerFactory.getLogger(FooterLoader.class);
    private static final int ATTEMPTS_MAX = 3;

    private final Function<ReadClass, ObjectStore> stores;
    private final ScheduledExecutorService timer;
    private final Runnable corrupt;

    FooterLoader(Function<ReadClass, ObjectStore> stores, ScheduledExecutorService timer, Runnable corrupt) {
        this.stores = stores;
        this.timer = timer;
        this.corrupt = corrupt;
    }

    /** Of a store that knows no classes of reads. */
    public FooterLoader(ObjectStore store, ScheduledExecutorService timer) {
        this(any -> store, timer, () -> {});
    }

    /** Fails with {@link ObjectStoreException}. */
    public CompletableFuture<BundleFooter> load(long objectId, long objectBytes) {
        return load(objectId, objectBytes, ReadClass.CATCH_UP);
    }

    CompletableFuture<BundleFooter> load(long objectId, long objectBytes, ReadClass as) {
        return attempt(stores.apply(as), objectId, objectBytes, 1);
    }

    private CompletableFuture<BundleFooter> attempt(ObjectStore store, long objectId, long objectBytes, int attempt) {
        int tail = (int) Math.min(objectBytes, BundleFooter.TAIL_BYTES);
        return read(store, objectId, objectBytes, tail).exceptionallyCompose(failure -> {
            Throwable cause = StageFailure.cause(failure);
            if (!(cause instanceof ObjectStoreException known) || known.reason() != Reason.CORRUPT) {
                return CompletableFuture.failedFuture(cause);
            }
            corrupt.run();
            String key = ObjectKeys.key(objectId);
            if (attempt < ATTEMPTS_MAX) {
                LOG.warn("footer of object {}: {}; reading again", key, cause.getMessage());
                return CompletableFuture.runAsync(
                                () -> {},
                                CompletableFuture.delayedExecutor(
                                        RereadPause.ms(attempt), TimeUnit.MILLISECONDS, timer))
                        .thenCompose(nothing -> attempt(store, objectId, objectBytes, attempt + 1));
            }
            LOG.error(
                    "the footer of object {} of {} bytes is not what was written, nothing of it is served (O4)",
                    key,
                    objectBytes);
            return CompletableFuture.failedFuture(new ObjectStoreException(
                    Reason.CORRUPT, "footer of object " + key + ": " + cause.getMessage(), cause));
        });
    }

    private CompletableFuture<BundleFooter> read(ObjectStore store, long objectId, long objectBytes, int tailBytes) {
        String key = ObjectKeys.key(objectId);
        return store.get(key, objectBytes - tailBytes, tailBytes)
                .thenCompose(tail -> {
                    try {
                        int needed = BundleFooter.footerAndTrailerBytes(tail, objectBytes);
                        if (needed > tail.readableBytes()) {
                            return read(store, objectId, objectBytes, needed);
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
