package io.catchment.broker.read;

import io.catchment.objectstore.cache.CatchUpRoom;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * Gives readers that catch up less of the node when those at the tail have to wait for it. How long is seen on the event loops, which carry every
 * request: a task that is due comes late when the loop is busy or gets no CPU. While somebody catches up each loop looks
 * every {@value #LOOK_MS} ms; when nobody does, none.
 *
 * <p>Thread-safe: the loops report under this object's monitor, readers ask a volatile. Late looks halve the loads at a time, down to one; punctual
 * ones add one, slowly, so that the room settles below what hurts.
 */
public final class LoopDelay implements CatchUpRoom {
    private static final long LOOK_MS = 10;
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(3);
    private static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long REST_NANOS = TimeUnit.SECONDS.toNanos(2);
    /** One late look in so many is how it always is. */
    private static final int LATE_PART = 8;

    /** Windows without delay until there is more room. */
    private static final int QUIET_WINDOWS = 3;

    private final List<EventLoop> loops;
    private final LongSupplier nanoTime;
    private final AtomicBoolean looking = new AtomicBoolean();
    private volatile long askedNanos;
    private volatile int loads = Integer.MAX_VALUE;
    private volatile int max = 1;
    private long windowNanos;
    /** Raised with each beginning: looks of an earlier one end. */
    private int watch;

    private int looks;
    private int late;
    private int quietWindows;

    /** @param nanoTime monotonic */
    public LoopDelay(List<EventLoop> loops, LongSupplier nanoTime) {
        this.loops = List.copyOf(loops);
        this.nanoTime = nanoTime;
    }

    @Override
    public int loads(int bound) {
        askedNanos = nanoTime.getAsLong();
        max = bound;
        if (!looking.get() && looking.compareAndSet(false, true)) {
            begin();
        }
        return Math.min(bound, loads);
    }

    /** Loads at a time now, for metrics. */
    public int loads() {
        return Math.min(max, loads);
    }

    private synchronized void begin() {
        windowNanos = nanoTime.getAsLong();
        looks = 0;
        late = 0;
        int begun = ++watch;
        loops.forEach(loop -> look(loop, begun));
    }

    private void look(EventLoop loop, int begun) {
        long due = nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(LOOK_MS);
        var unused = loop.schedule(
                () -> {
                    if (looked(nanoTime.getAsLong() - due, begun)) {
                        look(loop, begun);
                    }
                },
                LOOK_MS,
                TimeUnit.MILLISECONDS);
    }

    /** A loop was so late; whether it should look again. */
    synchronized boolean looked(long delayNanos, int begun) {
        if (begun != watch) {
            return false;
        }
        long now = nanoTime.getAsLong();
        looks++;
        late += delayNanos > LATE_NANOS ? 1 : 0;
        if (now - windowNanos >= WINDOW_NANOS) {
            judge();
            windowNanos = now;
            looks = 0;
            late = 0;
        }
        if (now - askedNanos > REST_NANOS) {
            watch++;
            loads = Integer.MAX_VALUE;
            looking.set(false);
            return false;
        }
        return true;
    }

    private void judge() {
        int present = loads();
        if (late * LATE_PART > looks) {
            loads = Math.max(1, present / 2);
            quietWindows = 0;
        } else if (++quietWindows >= QUIET_WINDOWS) {
            loads = Math.min(max, present + 1);
            quietWindows = 0;
        }
    }
}
