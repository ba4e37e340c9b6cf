package io.catchment.broker.coordinatorlog;

import java.util.concurrent.TimeUnit;
import org.apache.kafka.server.util.timer.SystemTimer;
import org.apache.kafka.server.util.timer.Timer;
import org.apache.kafka.server.util.timer.TimerTask;

/**
 * Kafka's timing wheel with a clock of its own: a daemon thread that sleeps until the next bucket is due instead of waking five
 * times a second as Kafka's reaper does. Thread-safe.
 */
public final class DaemonTimer implements Timer {
    /** A bucket that is due earlier wakes the clock. */
    private static final long SLEEP_MS_MAX = TimeUnit.MINUTES.toMillis(1);

    private static final long CLOSE_MS = 5_000;

    private final SystemTimer wheel;
    private final Thread clock;
    private volatile boolean closed;

    public DaemonTimer(String name) {
        this.wheel = new SystemTimer(name);
        this.clock = DaemonThreads.named(name + "-clock").newThread(this::run);
        clock.start();
    }

    private void run() {
        while (!closed) {
            try {
                wheel.advanceClock(SLEEP_MS_MAX);
            } catch (InterruptedException closing) {
                // close() interrupts, and the loop ends.
            }
        }
    }

    @Override
    public void add(TimerTask task) {
        wheel.add(task);
    }

    @Override
    public boolean advanceClock(long timeoutMs) throws InterruptedException {
        return wheel.advanceClock(timeoutMs);
    }

    @Override
    public int size() {
        return wheel.size();
    }

    @Override
    public void close() {
        closed = true;
        clock.interrupt();
        try {
            clock.join(CLOSE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        wheel.close();
    }
}
