package io.catchment.wal.lane;

import io.catchment.wal.Admission;
import io.catchment.wal.Frame;
import io.catchment.wal.format.FrameFormat;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Frames on their way to the lane. Guarded by its lock, which is held for a few instructions. Bounded in bytes: what was
 * accepted counts until it is acknowledged; beyond the bound it answers FULL.
 */
final class AppendQueue {
    private enum Mode {
        ACCEPTING,
        SUSPENDED,
        CLOSED
    }

    /** Asks to end an extent after the frames queued before. */
    record RollRequest(long extentId) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final long bytesMax;
    private final Runnable wake;

    private Mode mode = Mode.ACCEPTING;
    private Object[] items = new Object[128];
    private @Nullable Object[] contexts = new Object[128];
    private int count;
    private long bytes;
    /** Whether the lane sleeps and wants to be told of the next item. */
    private boolean armed = true;

    /** @param wake gets the lane to look into the queue; called without the lock */
    AppendQueue(long bytesMax, Runnable wake) {
        this.bytesMax = bytesMax;
        this.wake = wake;
    }

    Admission offer(Frame frame, @Nullable Object context) {
        long frameBytes = FrameFormat.frameBytes(frame.payload().readableBytes());
        boolean wanted;
        lock.lock();
        try {
            if (mode != Mode.ACCEPTING) {
                return mode == Mode.SUSPENDED ? Admission.SUSPENDED : Admission.CLOSED;
            }
            if (bytes > 0 && bytes + frameBytes > bytesMax) {
                return Admission.FULL;
            }
            bytes += frameBytes;
            wanted = add(frame, context);
        } finally {
            lock.unlock();
        }
        if (wanted) {
            wake.run();
        }
        return Admission.ACCEPTED;
    }

    void offerRoll(long extentId) {
        boolean wanted;
        lock.lock();
        try {
            wanted = mode != Mode.CLOSED && add(new RollRequest(extentId), null);
        } finally {
            lock.unlock();
        }
        if (wanted) {
            wake.run();
        }
    }

    private boolean add(Object item, @Nullable Object context) {
        if (count == items.length) {
            items = Arrays.copyOf(items, count * 2);
            contexts = Arrays.copyOf(contexts, count * 2);
        }
        items[count] = item;
        contexts[count++] = context;
        boolean wanted = armed;
        armed = false;
        return wanted;
    }

    boolean accepting() {
        lock.lock();
        try {
            return mode == Mode.ACCEPTING && bytes < bytesMax;
        } finally {
            lock.unlock();
        }
    }

    /** Moves everything queued into an empty batch; if there is nothing and {@code arm}, the next item will wake the lane. */
    boolean drain(Batch into, boolean arm) {
        lock.lock();
        try {
            if (count == 0) {
                armed |= arm;
                return false;
            }
            Object[] emptyItems = into.items;
            @Nullable Object[] emptyContexts = into.contexts;
            into.items = items;
            into.contexts = contexts;
            into.count = count;
            into.next = 0;
            items = emptyItems;
            contexts = emptyContexts;
            count = 0;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Gives room back: these bytes are acknowledged. */
    void acknowledged(long frameBytes) {
        lock.lock();
        try {
            bytes -= frameBytes;
        } finally {
            lock.unlock();
        }
    }

    long bytes() {
        lock.lock();
        try {
            return bytes;
        } finally {
            lock.unlock();
        }
    }

    void suspend() {
        change(Mode.ACCEPTING, Mode.SUSPENDED);
    }

    void resume() {
        change(Mode.SUSPENDED, Mode.ACCEPTING);
    }

    void close() {
        lock.lock();
        try {
            mode = Mode.CLOSED;
        } finally {
            lock.unlock();
        }
    }

    private void change(Mode from, Mode to) {
        lock.lock();
        try {
            if (mode == from) {
                mode = to;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Items taken out of the queue at once. Owned by the lane; its arrays are swapped with the queue's. */
    static final class Batch {
        private Object[] items = new Object[128];
        private @Nullable Object[] contexts = new Object[128];
        private int count;
        private int next;

        boolean isEmpty() {
            return next == count;
        }

        Object item() {
            return items[next];
        }

        @Nullable
        Object context() {
            return contexts[next];
        }

        /** Goes on to the next item; nothing of the old one is kept alive. */
        void advance() {
            items[next] = CONSUMED;
            contexts[next++] = null;
        }

        private static final Object CONSUMED = new Object();
    }
}
