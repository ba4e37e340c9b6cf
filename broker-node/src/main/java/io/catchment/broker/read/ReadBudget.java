package io.catchment.broker.read;

import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;

/**
 * Bounds the bytes that reads below the tail hold in memory, from the start of a read until its payload is released. Guarded by
 * its lock; thread-safe. First come, first served, so a reader that catches up waits its turn like any other, and no single
 * read may ask for more than an eighth.
 *
 * <p>A grant may be exceeded afterwards ({@link #grow}) when one batch alone is larger than what was asked for.
 */
public final class ReadBudget {
    private static final int WAITING_MAX = 10_000;

    private final long bytesMax;
    private final Object lock = new Object();
    private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
    private long used;

    /** @param bytesMax held by all reads together */
    public ReadBudget(long bytesMax) {
        if (bytesMax < 8) {
            throw new IllegalArgumentException("read budget of " + bytesMax + " bytes");
        }
        this.bytesMax = bytesMax;
    }

    private record Waiting(int bytes, CompletableFuture<Void> granted) {}

    /** What a read that wants this many bytes asks for. */
    int share(int bytes) {
        return (int) Math.max(1, Math.min(bytes, bytesMax / 8));
    }

    /** True when the bytes were free and nobody waits; they are taken then. */
    boolean tryAcquire(int bytes) {
        synchronized (lock) {
            if (!queue.isEmpty() || used + bytes > bytesMax) {
                return false;
            }
            used += bytes;
            return true;
        }
    }

    /**
     * Completes once the bytes are taken; on the thread that gave others back. Cancelling the future gives the place up; when that comes too late the
     * caller sees the future complete and releases. Fails when too many wait already.
     */
    CompletableFuture<Void> acquire(int bytes) {
        synchronized (lock) {
            if (queue.isEmpty() && used + bytes <= bytesMax) {
                used += bytes;
                return CompletableFuture.completedFuture(null);
            }
            if (queue.size() >= WAITING_MAX) {
                return CompletableFuture.failedFuture(
                        new IllegalStateException(WAITING_MAX + " reads below the tail wait for memory already"));
            }
            Waiting waiting = new Waiting(bytes, new CompletableFuture<>());
            queue.add(waiting);
            return waiting.granted();
        }
    }

    void grow(int bytes) {
        synchronized (lock) {
            used += bytes;
        }
    }

    void release(int bytes) {
        while (true) {
            Waiting next;
            synchronized (lock) {
                used -= bytes;
                bytes = 0;
                if (used < 0) {
                    throw new IllegalStateException("read budget released more than it granted: " + used);
                }
                next = queue.peek();
                if (next == null || (!next.granted().isDone() && used > 0 && used + next.bytes() > bytesMax)) {
                    return;
                }
                queue.poll();
                used += next.bytes();
            }
            if (!next.granted().complete(null)) {
                bytes = next.bytes();
            }
        }
    }

    /** Bytes held now, for metrics. */
    public long usedBytes() {
        synchronized (lock) {
            return used;
        }
    }

    /** Reads that wait for memory now, for metrics. */
    public int waiting() {
        synchronized (lock) {
            return queue.size();
        }
    }
}
