package io.catchment.objectstore.s3;

/**
 * The CRT client's own threads, which nobody names or makes but native code. They copy and check bodies for milliseconds at a time, so they give way to
 * the threads that clients wait for: where the JVM maps priorities to the system's (the launcher lets it), as soon as a thread has been seen.
 */
final class ClientThreads {
    /** The launcher maps it to a nice value. */
    private static final int PRIORITY = Thread.MIN_PRIORITY + 1;

    private ClientThreads() {}

    /** To be called on such a thread. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but how long others wait
    static void giveWay() {
        Thread here = Thread.currentThread();
        if (here.getPriority() != PRIORITY) {
            here.setPriority(PRIORITY);
        }
    }
}
