package io.catchment.objectstore.file;

import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Immutable but for its threads. Objects are files below a root directory, which is created by the first write and may be shared by
 * several processes. All disk work runs on the store's own few threads; what does not fit into their queue fails with TRANSIENT.
 */
public final class DirectoryStore implements ObjectStore {
    private static final int QUEUE_MAX = 1024;
    private static final AtomicInteger COUNTER = new AtomicInteger();

    private final ObjectFiles files;
    private final ThreadPoolExecutor threads;

    /** @param threadCount disk operations at a time */
    public DirectoryStore(Path root, int threadCount, ByteBufAllocator allocator) {
        this.files = new ObjectFiles(root, allocator);
        int number = COUNTER.incrementAndGet();
        AtomicInteger thread = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(
                threadCount, threadCount, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(QUEUE_MAX), task -> {
                    Thread created = new Thread(task, "object-files-" + number + "-" + thread.incrementAndGet());
                    created.setDaemon(true);
                    return created;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    @Override
    public CompletionStage<Void> put(String key, ByteBuf body) {
        return write(key, body, true);
    }

    @Override
    public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
        return write(key, body, false);
    }

    @Override
    public CompletionStage<ByteBuf> get(String key, long position, int length) {
        ObjectKeys.check(key);
        CompletableFuture<ByteBuf> result = new CompletableFuture<>();
        run(result, "get " + key, () -> {
            ByteBuf read = files.read(key, position, length);
            if (!result.complete(read)) {
                read.release();
            }
            return read;
        });
        return result;
    }

    @Override
    public CompletionStage<Void> delete(List<String> keys) {
        List<String> checked = keys.stream().map(ObjectKeys::check).toList();
        CompletableFuture<Void> result = new CompletableFuture<>();
        run(result, "delete of " + checked.size() + " objects", () -> {
            files.delete(checked);
            return result.complete(null);
        });
        return result;
    }

    @Override
    public CompletionStage<List<Listed>> list(String prefix) {
        CompletableFuture<List<Listed>> result = new CompletableFuture<>();
        run(result, "list " + prefix, () -> result.complete(files.list(prefix)));
        return result;
    }

    @Override
    public void close() {
        threads.shutdown();
    }

    private CompletionStage<Void> write(String key, ByteBuf body, boolean replace) {
        CompletableFuture<Void> result = new CompletableFuture<>();
        try {
            ObjectKeys.check(key);
            run(
                    result,
                    "put " + key,
                    () -> {
                        // A caller that gave up (cancelled) has released its interest: do not write what nobody waits
                        // for.
                        if (!result.isDone()) {
                            files.write(key, body, replace);
                        }
                        body.release();
                        return result.complete(null);
                    },
                    body::release);
        } catch (IllegalArgumentException badKey) {
            body.release();
            throw badKey;
        }
        return result;
    }

    private void run(CompletableFuture<?> result, String what, Callable<?> work) {
        run(result, what, work, () -> {});
    }

    private void run(CompletableFuture<?> result, String what, Callable<?> work, Runnable onFailure) {
        try {
            threads.execute(() -> {
                try {
                    work.call();
                } catch (Throwable failed) {
                    onFailure.run();
                    result.completeExceptionally(files.explain(what, failed));
                }
            });
        } catch (RejectedExecutionException full) {
            onFailure.run();
            result.completeExceptionally(new ObjectStoreException(
                    threads.isShutdown() ? Reason.REFUSED : Reason.TRANSIENT,
                    what + ": "
                            + (threads.isShutdown() ? "the store is closed" : "its queue of " + QUEUE_MAX + " is full"),
                    full));
        }
    }
}
