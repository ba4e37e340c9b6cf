package io.catchment.broker.fetch;

import io.catchment.broker.read.OffsetGapException;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.wal.CorruptExtentException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs reads that failed, at most one a second: consumers ask again and again while a store is away. Broken data is an ERROR (a
 * person must look), trouble that may pass a WARN. Thread-safe.
 */
public final class ReadFailures {
    private static final Logger LOG = LoggerFactory.getLogger(ReadFailures.class);
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final AtomicLong nextNanos = new AtomicLong(System.nanoTime());
    private final AtomicLong suppressed = new AtomicLong();

    public void report(TopicPartition partition, String what, @Nullable Throwable failure) {
        Throwable cause = unwrap(failure);
        long due = nextNanos.get();
        long now = System.nanoTime();
        if (now - due < 0 || !nextNanos.compareAndSet(due, now + INTERVAL_NANOS)) {
            suppressed.incrementAndGet();
            return;
        }
        long others = suppressed.getAndSet(0);
        if (isBroken(cause)) {
            LOG.error("{}: {} failed ({} like it not shown)", partition, what, others, cause);
        } else {
            LOG.warn("{}: {} failed: {} ({} like it not shown)", partition, what, String.valueOf(cause), others);
        }
    }

    /**
     * What the client is told. Bytes that are not what was written (O4) are the one trouble that asking again does not end: a stock consumer
     * throws it to its user, the others it tries again without a word.
     */
    public static Errors error(@Nullable Throwable failure) {
        Throwable cause = unwrap(failure);
        boolean corrupt = cause instanceof CorruptExtentException
                || (cause instanceof ObjectStoreException store
                        && store.reason() == ObjectStoreException.Reason.CORRUPT);
        return corrupt ? Errors.CORRUPT_MESSAGE : Errors.KAFKA_STORAGE_ERROR;
    }

    static @Nullable Throwable unwrap(@Nullable Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    private static boolean isBroken(@Nullable Throwable cause) {
        return cause instanceof OffsetGapException
                || cause instanceof CorruptExtentException
                || cause instanceof IllegalStateException
                || (cause instanceof ObjectStoreException store
                        && store.reason() == ObjectStoreException.Reason.CORRUPT);
    }
}
