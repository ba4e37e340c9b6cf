package io.catchment.chaos.storefault;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

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

    /** Which requests count. */
    public interface Wanted {
        /**
         * @param target path and query
         * @param bodyBytes of the request's body
         */
        boolean is(RequestKind kind, String target, long bodyBytes);
    }

    private final Wanted wanted;
    private final Moment moment;
    private final IntConsumer action;
    private final CountDownLatch sprung = new CountDownLatch(1);
    private final CountDownLatch acted = new CountDownLatch(1);
    private int left;

    /** @param action is told the port that the client's connection comes from */
    Trap(Wanted wanted, Moment moment, int number, IntConsumer action) {
        this.wanted = wanted;
        this.moment = moment;
        this.left = number;
        this.action = action;
    }

    Moment moment() {
        return moment;
    }

    /** Whether this request is the one. */
    synchronized boolean takes(RequestKind kind, String target, long bodyBytes) {
        return left > 0 && wanted.is(kind, target, bodyBytes) && --left == 0;
    }

    /** On a thread of its own: the action may wait for a process to die. */
    void spring(int clientPort) {
        sprung.countDown();
        var thread = new Thread(
                () -> {
                    try {
                        action.accept(clientPort);
                    } finally {
                        acted.countDown();
                    }
                },
                "trap-" + moment);
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
