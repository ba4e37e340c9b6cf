package io.catchment.objectstore;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A bucket prefix or a directory that holds immutable objects. Thread-safe; nothing here blocks. Stages fail with
 * {@link ObjectStoreException} and may complete on the store's own threads. Implementations do not retry: the retry package wraps them
 * with timeouts, retries with backoff and jitter, a circuit breaker and metrics. Which keys are allowed: {@link ObjectKeys#check}.
 */
public interface ObjectStore extends AutoCloseable {

    /**
     * Writes a whole object, replacing one of the same key; it is durable and complete, or absent, when the stage is done (O1).
     * Takes over one reference of the body, readable bytes are written, released when the stage completes.
     */
    CompletionStage<Void> put(String key, ByteBuf body);

    /**
     * Like put, but fails with ALREADY_EXISTS if the key exists. Atomic; the only primitive to fence with. After TRANSIENT it is unknown
     * whether it was written: read it back to know.
     */
    CompletionStage<Void> putIfAbsent(String key, ByteBuf body);

    /**
     * Exactly {@code length} bytes from {@code position}; an object that ends before them fails with CORRUPT. The caller releases the
     * buffer, which may be composite.
     */
    CompletionStage<ByteBuf> get(String key, long position, int length);

    /** Deletes what exists of the keys; missing ones are no error. */
    CompletionStage<Void> delete(List<String> keys);

    /** All objects whose key starts with the prefix, in key order. */
    CompletionStage<List<Listed>> list(String prefix);

    /**
     * If this answer of the same store, as another class of transfers sees it, has yet to wait for its turn, it waits as one of this view's requests from now
     * on. Does nothing where nothing waits.
     */
    default void hasten(CompletionStage<?> answer) {}

    /** As how many requests the store counts, and bills, a put of so many bytes. */
    default int requestsOfPut(long bytes) {
        return 1;
    }

    record Listed(String key, long bytes) {}

    @Override
    void close();
}
