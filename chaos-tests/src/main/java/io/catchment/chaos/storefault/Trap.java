package io.catchment.chaos.storefault;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Thread-safe. Waits for the n-th request of a kind from its setting on; when that has come so far, runs its action once and holds the
 * request there, with its connections open and silent, until it is let go: these are reset then.
 */
public final class Trap {
    /** How far the request has come. */
    public enum Moment {
        /** Its head is here; the store knows nothing of it. */
        BEFORE,
        /** The store has half of its body. */
        MIDDLE,
        /** The store has done it and answered; the client knows nothing of that. */
        STORED,
        /** The client has the answer. */
        ANSWERED
    }

    private final RequestKind kind;
    private final Moment moment;
    private final long bytesMin;
    private final Runnable action;
    private final CountDownLatch sprung = new CountDownLatch(1);
    private final CountDownLatch acted = new CountDownLatch(1);
    private int left;

    Trap(RequestKind kind, Moment moment, int number, long bytesMin, Runnable action) {
        this.kind = kind;
        this.moment = moment;
        this.left = number;
        this.bytesMin = bytesMin;
        this.action = action;
    }

    Moment moment() {
        return moment;
    }

    /** Whether this request is the one. */
    synchronized boolean takes(RequestKind of, long bodyBytes) {
        return of == kind && bodyBytes >= bytesMin && left > 0 && --left == 0;
    }

    /** On a thread of its own: the action may wait for a process to die. */
    void spring() {
        sprung.countDown();
        var thread = new Thread(
                () -> {
                    try {
                        action.run();
                    } finally {
                        acted.countDown();
                    }
                },
                "trap-" + kind + "-" + moment);
        thread.setDaemon(true);
        thread.start();
    }

    public boolean sprung() {
        return sprung.getCount() == 0;
    }

    /** Whether the request came, and the action is done, within that time. */
    public boolean await(Duration limit) {
        try {
            return acted.await(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
