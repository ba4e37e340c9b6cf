package io.catchment.controlplane.server;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.kafka.common.utils.Time;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The real {@link ControlLoop}. Its queue is bounded by what feeds it: commands in flight, and the log's undelivered batches. */
final class ControlThread implements ControlLoop {
    private static final Logger LOG = LoggerFactory.getLogger(ControlThread.class);
    private static final long CLOSE_MS = 5000;

    private final Time time;
    private final Consumer<Throwable> fatal;
    private final ScheduledThreadPoolExecutor executor;
    private final AtomicBoolean broken = new AtomicBoolean();

    ControlThread(String name, Time time, Consumer<Throwable> fatal) {
        this.time = time;
        this.fatal = fatal;
        executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
        executor.setRemoveOnCancelPolicy(true);
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    @Override
    public boolean execute(Runnable task) {
        if (broken.get()) {
            return false;
        }
        try {
            executor.execute(() -> run(task));
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // the task reports its own failure
    public void schedule(Runnable task, long delayMs) {
        try {
            executor.schedule(() -> run(task), delayMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the control plane is closed; a task is dropped");
        }
    }

    private void run(Runnable task) {
        if (broken.get()) {
            return;
        }
        try {
            task.run();
        } catch (Throwable e) {
            broken.set(true);
            LOG.error("the control plane of this node cannot go on", e);
            fatal.accept(e);
        }
    }

    @Override
    public long monotonicMs() {
        return TimeUnit.NANOSECONDS.toMillis(time.nanoseconds());
    }

    @Override
    public long wallClockMs() {
        return time.milliseconds();
    }

    @Override
    public void close() {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(CLOSE_MS, TimeUnit.MILLISECONDS)) {
                LOG.warn("the control plane's thread did not end within {} ms", CLOSE_MS);
                executor.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
