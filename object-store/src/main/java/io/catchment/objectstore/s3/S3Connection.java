package io.catchment.objectstore.s3;

import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/**
 * The client's life; its fields are owned by {@code lock}. Using the CRT client during or after its close crashes the JVM, so every request is
 * counted from before its start until its own future is done, and close waits for them; if they do not end in time, the client is left open.
 */
final class S3Connection {
    private static final Logger LOG = LoggerFactory.getLogger(S3Connection.class);
    private static final long CLOSE_WAIT_MS = 10_000;

    private final S3Settings settings;
    private final RenewableCredentials credentials;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private @Nullable CompletableFuture<S3AsyncClient> client;
    private int underWay;
    private boolean closed;

    S3Connection(S3Settings settings) {
        this.settings = settings;
        this.credentials = new RenewableCredentials(() -> S3Clients.credentials(settings), System::nanoTime);
    }

    /**
     * Runs one request. The answer fails with {@link ObjectStoreException}.
     *
     * @param cancellable cancelling the answer cancels the request; not for one with a body: the SDK's future would end at once while native
     *     code still reads the body. Such a request ends by itself (see the connection health settings).
     * @param after runs when the request is really over, so that its body is free
     * @param discard gets an answer nobody waits for any more
     */
    <T> CompletableFuture<T> run(
            String what,
            boolean cancellable,
            Function<S3AsyncClient, CompletableFuture<T>> work,
            Runnable after,
            Consumer<T> discard) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        CompletableFuture<S3AsyncClient> open = begin();
        if (open == null) {
            after.run();
            answer.completeExceptionally(
                    new ObjectStoreException(Reason.REFUSED, what + ": the store is closed", null));
            return answer;
        }
        CompletableFuture<?> unused = open.whenComplete((ready, failure) -> {
            if (ready == null) {
                forget();
                end(after);
                answer.completeExceptionally(S3Failures.explain("the S3 client could not be made", orUnknown(failure)));
            } else {
                send(what, cancellable, ready, work, after, discard, answer);
            }
        });
        return answer;
    }

    void close() {
        CompletableFuture<S3AsyncClient> open;
        boolean ended;
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            open = client;
            ended = awaitIdle();
        } finally {
            lock.unlock();
        }
        if (open == null || open.isCompletedExceptionally()) {
            return;
        }
        if (ended) {
            open.join().close();
            credentials.close();
        } else {
            LOG.warn(
                    "S3 requests did not end within {} ms: the client is left open, closing it now could crash the process",
                    CLOSE_WAIT_MS);
        }
    }

    private <T> void send(
            String what,
            boolean cancellable,
            S3AsyncClient ready,
            Function<S3AsyncClient, CompletableFuture<T>> work,
            Runnable after,
            Consumer<T> discard,
            CompletableFuture<T> answer) {
        CompletableFuture<T> request;
        try {
            request = answer.isDone()
                    ? CompletableFuture.failedFuture(new CancellationException(what))
                    : work.apply(ready);
        } catch (RuntimeException failed) {
            request = CompletableFuture.failedFuture(failed);
        }
        CompletableFuture<T> sent = request;
        CompletableFuture<?> unusedCancel = answer.whenComplete((value, failure) -> {
            if (cancellable && answer.isCancelled()) {
                sent.cancel(true);
            }
        });
        CompletableFuture<?> unusedEnd = sent.whenComplete((value, failure) -> {
            end(after);
            if (failure != null) {
                ObjectStoreException known = S3Failures.explain(what, failure);
                if (known.reason() == Reason.CREDENTIALS) {
                    credentials.refused();
                }
                answer.completeExceptionally(known);
            } else if (!answer.complete(value)) {
                discard.accept(value);
            }
        });
    }

    /** Counts a request in; null once closed. */
    private @Nullable CompletableFuture<S3AsyncClient> begin() {
        lock.lock();
        try {
            if (closed) {
                return null;
            }
            if (client == null) {
                client = build();
            }
            underWay++;
            return client;
        } finally {
            lock.unlock();
        }
    }

    private void end(Runnable after) {
        lock.lock();
        try {
            underWay--;
            idle.signalAll();
        } finally {
            lock.unlock();
        }
        after.run();
    }

    /** A client that could not be made is tried anew by the next request. */
    private void forget() {
        lock.lock();
        try {
            if (client != null && client.isCompletedExceptionally()) {
                client = null;
            }
        } finally {
            lock.unlock();
        }
    }

    private CompletableFuture<S3AsyncClient> build() {
        CompletableFuture<S3AsyncClient> built = new CompletableFuture<>();
        Thread builder = new Thread(
                () -> {
                    try {
                        built.complete(S3Clients.build(settings, credentials));
                    } catch (Throwable failed) {
                        built.completeExceptionally(failed);
                    }
                },
                "s3-client-start");
        builder.setDaemon(true);
        builder.start();
        return built;
    }

    private boolean awaitIdle() {
        long left = TimeUnit.MILLISECONDS.toNanos(CLOSE_WAIT_MS);
        try {
            while (underWay > 0) {
                if (left <= 0) {
                    return false;
                }
                left = idle.awaitNanos(left);
            }
            return true;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static Throwable orUnknown(@Nullable Throwable failure) {
        return failure == null ? new IllegalStateException("no client and no failure") : failure;
    }
}
