package io.catchment.broker.loop;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Thread-safe. The real loop: one daemon thread. */
public final class SerialThread implements SerialLoop {
    private static final Logger LOG = LoggerFactory.getLogger(SerialThread.class);

    private final String name;
    private final ScheduledThreadPoolExecutor thread;

    public SerialThread(String name) {
        this(name, Thread.NORM_PRIORITY);
    }

    /** @param priority where the JVM maps priorities to the system's, as the launcher lets it */
    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but how long others wait
    public SerialThread(String name, int priority) {
        this.name = name;
        this.thread = new ScheduledThreadPoolExecutor(1, task -> {
            Thread created = new Thread(task, name);
            created.setDaemon(true);
            created.setPriority(priority);
            return created;
        });
        thread.setRemoveOnCancelPolicy(true);
    }

    @Override
    public void execute(Runnable step) {
        schedule(step, 0);
    }

    @Override
    public Scheduled schedule(Runnable step, long delayMs) {
        try {
            ScheduledFuture<?> scheduled = thread.schedule(() -> run(step), delayMs, TimeUnit.MILLISECONDS);
            return () -> scheduled.cancel(false);
        } catch (RejectedExecutionException closed) {
            LOG.debug("A step after the end of thread {} is dropped", name);
            return () -> {};
        }
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public long wallClockMs() {
        return System.currentTimeMillis();
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }

    private void run(Runnable step) {
        try {
            step.run();
        } catch (Throwable failed) {
            LOG.error("A step of thread {} failed unexpectedly; the next ones go on", name, failed);
        }
    }
}
