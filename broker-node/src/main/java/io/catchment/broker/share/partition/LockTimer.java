package io.catchment.broker.share.partition;

import io.catchment.broker.loop.SerialLoop;
import java.util.concurrent.TimeUnit;

/** Has somebody look when the next lock ends; one look counts at a time, the earliest that was asked for. Owned by the share loop. */
final class LockTimer {
    /** Locks that end within this time of each other are looked at together. */
    private static final long LOOK_MS_MIN = 20;

    private final SerialLoop loop;
    private final Runnable look;
    private boolean due;
    private long dueNanos;

    LockTimer(SerialLoop loop, Runnable look) {
        this.loop = loop;
        this.look = look;
    }

    /** Unless one is due by then. */
    void lookIn(long delayMs) {
        long waitMs = Math.max(LOOK_MS_MIN, delayMs);
        long atNanos = loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs);
        if (!due || atNanos < dueNanos) {
            due = true;
            dueNanos = atNanos;
            loop.schedule(() -> look(atNanos), waitMs);
        }
    }

    /** One that was asked for later, for an earlier time, may have taken its place. */
    private void look(long atNanos) {
        if (due && atNanos == dueNanos) {
            due = false;
            look.run();
        }
    }
}
