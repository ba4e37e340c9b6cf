package io.catchment.broker.loop;

/** The one thread that owns some component's state, with its clock. Tests drive one by hand. */
public interface SerialLoop extends AutoCloseable {

    /** Runs the step later, after those before it. From any thread; after {@link #close} it is dropped. */
    void execute(Runnable step);

    /**
     * The same; and just one of the two runs: {@code dropped}, on any thread and after the last step has ended, when the loop's end comes first. It gives up what the step would have taken
     * over.
     */
    void execute(Runnable step, Runnable dropped);

    Scheduled schedule(Runnable step, long delayMs);

    /** A step that is due some time. */
    @FunctionalInterface
    interface Scheduled {
        /** Unless it has begun, the step does not run, and is not kept until it would have. From any thread. */
        void cancel();
    }

    /** Monotonic. */
    long nanoTime();

    /** Ms since the Unix epoch. */
    long wallClockMs();

    @Override
    void close();
}
