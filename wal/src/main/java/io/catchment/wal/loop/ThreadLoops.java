package io.catchment.wal.loop;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BiConsumer;

/** Loops on daemon threads of their own, started by their first task. Thread-safe. */
public final class ThreadLoops implements Loops {
    private final String prefix;
    private final BiConsumer<String, Throwable> fatal;
    private final Queue<ThreadLoop> loops = new ConcurrentLinkedQueue<>();

    /** @param fatal told when a task threw: a broken invariant (loop name, what it threw) */
    public ThreadLoops(String prefix, BiConsumer<String, Throwable> fatal) {
        this.prefix = prefix;
        this.fatal = fatal;
    }

    @Override
    public Loop loop(String name) {
        ThreadLoop loop = new ThreadLoop(prefix + name, fatal);
        loops.add(loop);
        return loop;
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    /** Waits a moment for the task under way on each loop: a thread is never interrupted, that would close its file. */
    @Override
    public void close() {
        loops.forEach(ThreadLoop::stop);
        loops.forEach(loop -> loop.awaitStopped(1000));
    }
}
