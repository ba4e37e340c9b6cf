package io.catchment.controlplane.server;

/**
 * The one thread that owns a node's control state. Tasks run one after the other in the order they came; one that throws ends the
 * loop and reports the node as broken. {@link #execute} and {@link #schedule} are thread-safe, and do nothing after the end.
 */
interface ControlLoop {
    /** False when the loop has ended: the task will not run. */
    boolean execute(Runnable task);

    void schedule(Runnable task, long delayMs);

    /** For deadlines: never goes back. */
    long monotonicMs();

    /** For records: the wall clock. */
    long wallClockMs();

    /** Runs what was queued before, then nothing more. */
    void close();
}
