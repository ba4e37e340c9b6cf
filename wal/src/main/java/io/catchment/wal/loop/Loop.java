package io.catchment.wal.loop;

import java.util.concurrent.Executor;

/** A serial executor with timers: tasks run one at a time, in the order they were given. */
public interface Loop extends Executor {

    /** Runs the task on this loop after the delay, unless cancelled before it started. */
    Timer schedule(long delayMs, Runnable task);

    /** A task that waits for its time. */
    interface Timer {
        void cancel();
    }
}
