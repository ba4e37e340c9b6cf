package io.catchment.broker.network;

import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;

/**
 * The time for which a connection takes in nothing, since its client is over a limit (KIP-219): the answer that says so has left, or
 * will as soon as there is one; what the client sends all the same waits in its socket. Owned by the connection's event loop.
 */
final class Mute {
    private final EventLoop loop;
    private final Runnable over;
    private boolean on;
    private long untilNanos;

    /** @param over called when it ends */
    Mute(EventLoop loop, Runnable over) {
        this.loop = loop;
        this.over = over;
    }

    boolean isOn() {
        return on;
    }

    /** The longest of several counts; they are not added up, as the client does not. */
    void atLeast(int ms) {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        if (!on) {
            on = true;
            untilNanos = until;
            look();
        } else if (until - untilNanos > 0) {
            untilNanos = until;
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // nothing but the loop's end stops it
    private void look() {
        long leftNanos = untilNanos - System.nanoTime();
        if (leftNanos > 0) {
            loop.schedule(this::look, leftNanos, TimeUnit.NANOSECONDS);
            return;
        }
        on = false;
        over.run();
    }
}
