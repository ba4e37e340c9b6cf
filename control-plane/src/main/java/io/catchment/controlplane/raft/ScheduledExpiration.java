package io.catchment.controlplane.raft;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.raft.ExpirationService;

/** Raft's timeouts on a scheduler that sleeps until one is due; Kafka's own polls a timing wheel five times a second. Thread-safe. */
final class ScheduledExpiration implements ExpirationService, AutoCloseable {
    private final ScheduledThreadPoolExecutor scheduler;

    ScheduledExpiration(String name) {
        scheduler = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
        scheduler.setRemoveOnCancelPolicy(true);
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // what depends on the returned future is the caller's
    public <T> CompletableFuture<T> failAfter(long timeoutMs) {
        CompletableFuture<T> future = new CompletableFuture<>();
        ScheduledFuture<?> timer = scheduler.schedule(
                () -> future.completeExceptionally(new TimeoutException("not done within " + timeoutMs + " ms")),
                timeoutMs,
                TimeUnit.MILLISECONDS);
        future.whenComplete((value, failure) -> timer.cancel(false));
        return future;
    }

    @Override
    public void close() {
        scheduler.shutdownNow();
    }
}
