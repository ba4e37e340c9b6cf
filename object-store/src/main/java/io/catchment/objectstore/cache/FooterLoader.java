package io.catchment.objectstore.cache;

import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.ReadClass;
import io.catchment.objectstore.bundle.BundleFooter;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Thread-safe. Reads the footer of an object: the last bytes first, more if it is longer; what is corrupt is read again after a pause, then reported. */
public final class FooterLoader {
    private static final Logger LOG = LoggerFactory.getLogger(FooterLoader.class);
    private static final int ATTEMPTS_MAX = 3;

    private final Function<ReadClass, ObjectStore> stores;
    private final ScheduledExecutorService timer;
    private final Runnable corrupt;
    /** Of each object, what is asked for by readers that catch up. */
    private final ConcurrentHashMap<Long, CompletionStage<ByteBuf>> catchingUp = new ConcurrentHashMap<>();

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
        return attempt(as, objectId, objectBytes, 1);
    }

    /** Somebody at the tail waits for it now. */
    void hasten(long objectId) {
        CompletionStage<ByteBuf> sent = catchingUp.get(objectId);
        if (sent != null) {
            stores.apply(ReadClass.TAIL).hasten(sent);
        }
    }

    private CompletableFuture<BundleFooter> attempt(ReadClass as, long objectId, long objectBytes, int attempt) {
        int tail = (int) Math.min(objectBytes, BundleFooter.TAIL_BYTES);
        return read(as, objectId, objectBytes, tail).exceptionallyCompose(failure -> {
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
                        .thenCompose(nothing -> attempt(as, objectId, objectBytes, attempt + 1));
            }
            LOG.error(
                    "the footer of object {} of {} bytes is not what was written, nothing of it is served (O4)",
                    key,
                    objectBytes);
            return CompletableFuture.failedFuture(new ObjectStoreException(
                    Reason.CORRUPT, "footer of object " + key + ": " + cause.getMessage(), cause));
        });
    }

    private CompletableFuture<BundleFooter> read(ReadClass as, long objectId, long objectBytes, int tailBytes) {
        CompletionStage<ByteBuf> sent =
                stores.apply(as).get(ObjectKeys.key(objectId), objectBytes - tailBytes, tailBytes);
        if (as == ReadClass.CATCH_UP) {
            catchingUp.put(objectId, sent);
            sent.whenComplete((tail, failure) -> catchingUp.remove(objectId, sent));
        }
        return sent.thenCompose(tail -> {
                    try {
                        int needed = BundleFooter.footerAndTrailerBytes(tail, objectBytes);
                        if (needed > tail.readableBytes()) {
                            return read(as, objectId, objectBytes, needed);
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
