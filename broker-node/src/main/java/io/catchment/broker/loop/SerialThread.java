package io.catchment.broker.loop;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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
    private final boolean interrupted;
    private final ScheduledThreadPoolExecutor thread;
    /** What is to be given up if its step does not run. Whoever takes one out does one or the other. */
    private final Set<Handed> handed = ConcurrentHashMap.newKeySet();

    private volatile boolean over;

    /** No record: each is its own. */
    private static final class Handed {
        private final Runnable dropped;

        Handed(Runnable dropped) {
            this.dropped = dropped;
        }
    }

    public SerialThread(String name) {
        this(name, Thread.NORM_PRIORITY);
    }

    /**
     * One whose steps read files: it is not interrupted when it is closed, that would close the file for all who use it. The step under way
     * goes on to its end, those after it are dropped.
     */
    public static SerialThread readingFiles(String name) {
        SerialThread made = new SerialThread(name, Thread.NORM_PRIORITY, false);
        made.thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return made;
    }

    /** @param priority where the JVM maps priorities to the system's, as the launcher lets it */
    public SerialThread(String name, int priority) {
        this(name, priority, true);
    }

    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but how long others wait
    private SerialThread(String name, int priority, boolean interrupted) {
        this.name = name;
        this.interrupted = interrupted;
        this.thread =
                new ScheduledThreadPoolExecutor(1, task -> {
                    Thread created = new Thread(task, name);
                    created.setDaemon(true);
                    created.setPriority(priority);
                    return created;
                }) {
                    @Override
                    protected void terminated() {
                        over = true;
                        dropHanded();
                    }
                };
        thread.setRemoveOnCancelPolicy(true);
    }

    @Override
    public void execute(Runnable step) {
        schedule(step, 0);
    }

    @Override
    public void execute(Runnable step, Runnable dropped) {
        Handed one = new Handed(dropped);
        handed.add(one);
        execute(() -> {
            if (handed.remove(one)) {
                step.run();
            }
        });
        if (over) {
            dropHanded();
        }
    }

    private void dropHanded() {
        for (Handed each : List.copyOf(handed)) {
            if (handed.remove(each)) {
                run(each.dropped);
            }
        }
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
        if (interrupted) {
            thread.shutdownNow();
        } else {
            thread.shutdown();
        }
    }

    private void run(Runnable step) {
        try {
            step.run();
        } catch (Throwable failed) {
            LOG.error("A step of thread {} failed unexpectedly; the next ones go on", name, failed);
        }
    }
}
