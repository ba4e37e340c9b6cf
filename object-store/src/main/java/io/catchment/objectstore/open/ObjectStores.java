package io.catchment.objectstore.open;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.file.DirectoryStore;
import io.catchment.objectstore.retry.RetryPolicy;
import io.catchment.objectstore.retry.RetryingStore;
import io.catchment.objectstore.retry.StoreListener;
import io.catchment.objectstore.s3.S3Store;
import io.catchment.objectstore.transfer.TransferListener;
import io.catchment.objectstore.transfer.TransferScheduler;
import io.catchment.objectstore.transfer.TransferSettings;
import io.netty.buffer.ByteBufAllocator;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/** Opens stores by URI. */
public final class ObjectStores {
    private static final int FILE_THREADS = 8;

    private ObjectStores() {}

    /**
     * {@code file:///DIR} or {@code s3://BUCKET/PREFIX?endpoint=…&region=…&path-style=true}, with timeouts, retries and a circuit breaker
     * around it. Nothing is opened before the first request: an object store that is away does not keep a node from starting.
     *
     * @param settings keys of the query, given elsewhere (secrets do not belong into a URI); the README lists them
     * @param timer for timeouts and backoff; not closed with the store
     * @throws IllegalArgumentException if the URI or a setting is wrong: the message is for people
     */
    public static ObjectStore open(
            String uri,
            Map<String, String> settings,
            RetryPolicy policy,
            ScheduledExecutorService timer,
            StoreListener listener) {
        // Thread-safe: it asks the calling thread's generator each time.
        RandomGenerator random = () -> ThreadLocalRandom.current().nextLong();
        return new RetryingStore(bare(uri, settings), policy, timer, System::nanoTime, random, listener);
    }

    /** The same; what is sent again counts against the scheduler's bandwidth. */
    public static ObjectStore open(
            String uri,
            Map<String, String> settings,
            RetryPolicy policy,
            ScheduledExecutorService timer,
            StoreListener listener,
            TransferScheduler scheduler) {
        return open(uri, settings, policy, timer, new ResentBytes(listener, scheduler));
    }

    /** For the transfers of one store, see {@link io.catchment.objectstore.transfer.ObjectTransfers}. */
    public static TransferScheduler scheduler(
            TransferSettings transfers, ScheduledExecutorService timer, TransferListener listener) {
        return new TransferScheduler(transfers, System::nanoTime, alarm(timer), listener);
    }

    private static TransferScheduler.Alarm alarm(ScheduledExecutorService timer) {
        return (nanos, task) -> {
            try {
                ScheduledFuture<?> unused = timer.schedule(task, nanos, TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException stopping) {
                // What waits is ended by the close that follows.
            }
        };
    }

    /** Checks what {@link #open} would check. */
    public static void validate(String uri, Map<String, String> settings) {
        StoreUri.parse(uri, settings);
    }

    /** Without timeouts and retries. */
    static ObjectStore bare(String uri, Map<String, String> settings) {
        StoreUri parsed = StoreUri.parse(uri, settings);
        if (parsed instanceof StoreUri.Directory directory) {
            return new DirectoryStore(directory.path(), FILE_THREADS, ByteBufAllocator.DEFAULT);
        }
        if (parsed instanceof StoreUri.Bucket bucket) {
            return new S3Store(bucket.settings(), ByteBufAllocator.DEFAULT);
        }
        throw new IllegalStateException("unreachable");
    }
}
