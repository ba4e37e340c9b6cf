package io.catchment.broker.flush;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Thread-safe. The real loop: one daemon thread. */
public final class FlushThread implements FlushLoop {
    private static final Logger LOG = LoggerFactory.getLogger(FlushThread.class);

    private final ScheduledThreadPoolExecutor thread = new ScheduledThreadPoolExecutor(1, task -> {
        Thread created = new Thread(task, "flush");
        created.setDaemon(true);
        return created;
    });

    @Override
    public void execute(Runnable step) {
        schedule(step, 0);
    }

    @Override
    public void schedule(Runnable step, long delayMs) {
        try {
            ScheduledFuture<?> unused = thread.schedule(() -> run(step), delayMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            LOG.debug("A step after the end of the flush thread is dropped");
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

    private static void run(Runnable step) {
        try {
            step.run();
        } catch (Throwable failed) {
            LOG.error("A step of the flush failed unexpectedly; the next ones go on", failed);
        }
    }
}
