package io.catchment.wal.loop;

/** Makes loops and tells the time: the one place where threads and clocks come from, so that a simulation can replace both. */
public interface Loops extends AutoCloseable {

    /** A new loop; what a name appears in are thread names and logs. */
    Loop loop(String name);

    /** Monotonic nanoseconds, for durations only. */
    long nanoTime();

    /** Stops all loops made here without waiting for queued tasks. */
    @Override
    void close();
}
