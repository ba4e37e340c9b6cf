package io.catchment.broker.network;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open connections of one event loop, owned by that loop, which looks at each of them about once a second to end those
 * that are idle or stand still.
 */
final class LoopConnections {
    private static final Logger LOG = LoggerFactory.getLogger(LoopConnections.class);

    private final EventLoop loop;
    private final Set<Liveness> open = new LinkedHashSet<>();

    LoopConnections(EventLoop loop) {
        this.loop = loop;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // ends with its loop
    void start(NetworkLimits limits) {
        long everyMs = Math.max(20, Math.min(1_000, Math.min(limits.connectionIdleMs(), limits.stallMs()) / 4));
        loop.scheduleWithFixedDelay(this::look, everyMs, everyMs, TimeUnit.MILLISECONDS);
    }

    void add(Liveness connection) {
        open.add(connection);
    }

    void remove(Liveness connection) {
        open.remove(connection);
    }

    void closeAll() {
        for (Liveness connection : List.copyOf(open)) {
            connection.shutdown();
        }
    }

    private void look() {
        long now = System.nanoTime();
        for (Liveness connection : new ArrayList<>(open)) {
            try {
                connection.look(now);
            } catch (RuntimeException e) { // or nobody would look at any connection again
                LOG.error("A connection cannot be judged and is left to itself", e);
                open.remove(connection);
            }
        }
    }
}
