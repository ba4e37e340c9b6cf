package io.catchment.broker.share.partition;

import io.catchment.broker.loop.SerialLoop;

/** Has somebody look when the next lock ends; one look is due at a time. Owned by the share loop. */
final class LockTimer {
    /** Locks that end within this time of each other are looked at together. */
    private static final long LOOK_MS_MIN = 20;

    private final SerialLoop loop;
    private final Runnable look;
    private boolean due;

    LockTimer(SerialLoop loop, Runnable look) {
        this.loop = loop;
        this.look = look;
    }

    /** Unless one is due already. */
    void lookIn(long delayMs) {
        if (!due) {
            due = true;
            loop.schedule(this::look, Math.max(LOOK_MS_MIN, delayMs));
        }
    }

    private void look() {
        due = false;
        look.run();
    }
}
