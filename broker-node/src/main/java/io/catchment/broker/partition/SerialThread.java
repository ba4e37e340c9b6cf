package io.catchment.broker.partition;

import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread for tasks in order, at once or later. An exception is logged and ends its task only; after the end nothing is done. Thread-safe. */
final class SerialThread implements Executor, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SerialThread.class);

    private final ScheduledExecutorService thread;
    private final String name;

    SerialThread(String name) {
        this.name = name;
        this.thread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread daemon = new Thread(task, name);
            daemon.setDaemon(true);
            return daemon;
        });
    }

    @Override
    public void execute(Runnable task) {
        later(0, task);
    }

    void later(long delayMs, Runnable task) {
        try {
            var unused = thread.schedule(() -> guarded(task), delayMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException ended) {
            log.debug("{} has ended: a task is not done", name);
        }
    }

    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            log.error("A task of {} failed: {}", name, e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
