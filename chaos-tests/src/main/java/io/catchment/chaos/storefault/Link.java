package io.catchment.chaos.storefault;

import java.util.concurrent.TimeUnit;

/** Guarded by its own lock. One direction of a link with a bound on its bytes per second, shared by all connections; 0: none. */
final class Link {
    private long bytesPerSecond;
    private long freeAtNanos = System.nanoTime();

    synchronized void limit(long bytes) {
        bytesPerSecond = bytes;
        freeAtNanos = System.nanoTime();
    }

    /** Takes the time that these bytes need; how long to wait before the next ones. */
    synchronized long takeNanos(long bytes) {
        if (bytesPerSecond <= 0) {
            return 0;
        }
        long now = System.nanoTime();
        freeAtNanos =
                Math.max(freeAtNanos, now) + (long) (bytes * (double) TimeUnit.SECONDS.toNanos(1) / bytesPerSecond);
        return freeAtNanos - now;
    }
}
