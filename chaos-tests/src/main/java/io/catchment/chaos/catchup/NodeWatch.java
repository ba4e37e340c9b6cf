package io.catchment.chaos.catchup;

import io.catchment.chaos.bench.ProcessCpu;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Looks at a process five times a second, on a thread of its own: the most memory it had. */
final class NodeWatch implements AutoCloseable {
    private static final long EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final long pid;
    private final Thread thread;
    private volatile boolean stop;
    private volatile double residentMbMax;

    NodeWatch(long pid) {
        this.pid = pid;
        this.thread = new Thread(this::run, "node-watch");
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        while (!stop) {
            residentMbMax = Math.max(residentMbMax, ProcessCpu.residentMb(pid));
            LockSupport.parkNanos(EVERY_NANOS);
        }
    }

    double residentMbMax() {
        return residentMbMax;
    }

    @Override
    public void close() {
        stop = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
