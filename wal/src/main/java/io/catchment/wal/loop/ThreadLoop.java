package io.catchment.wal.loop;

import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** A loop on one thread. Thread-safe; tasks given after {@link #stop} are dropped. */
final class ThreadLoop implements Loop {
    private final String name;
    private final BiConsumer<String, Throwable> fatal;
    private final ScheduledThreadPoolExecutor executor;

    ThreadLoop(String name, BiConsumer<String, Throwable> fatal) {
        this.name = name;
        this.fatal = fatal;
        this.executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
        executor.setRemoveOnCancelPolicy(true);
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    @Override
    public void execute(Runnable task) {
        try {
            executor.execute(() -> run(task));
        } catch (RejectedExecutionException stopped) {
            // Stopping: nobody waits for this task any more.
        }
    }

    @Override
    public Timer schedule(long delayMs, Runnable task) {
        try {
            Future<?> future = executor.schedule(() -> run(task), delayMs, TimeUnit.MILLISECONDS);
            return () -> future.cancel(false);
        } catch (RejectedExecutionException stopped) {
            return () -> {};
        }
    }

    private void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable broken) {
            fatal.accept(name, broken);
        }
    }

    void stop() {
        executor.shutdown();
    }

    void awaitStopped(long timeoutMs) {
        boolean interrupted = false;
        try {
            executor.awaitTermination(timeoutMs, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
