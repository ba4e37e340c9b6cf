package io.catchment.broker.loop;

/** The one thread that owns some component's state, with its clock. Tests drive one by hand. */
public interface SerialLoop extends AutoCloseable {

    /** Runs the step later, after those before it. From any thread; after {@link #close} it is dropped. */
    void execute(Runnable step);

    void schedule(Runnable step, long delayMs);

    /** Monotonic. */
    long nanoTime();

    /** Ms since the Unix epoch. */
    long wallClockMs();

    @Override
    void close();
}
