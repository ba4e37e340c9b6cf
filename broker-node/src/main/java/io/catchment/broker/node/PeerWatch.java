package io.catchment.broker.node;

import io.catchment.broker.loop.Attempt;
import io.catchment.wal.link.Link;
import io.catchment.wal.link.LinkHandler;
import io.catchment.wal.link.Network;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Which other nodes' WALs cannot be connected to: an idle connection to each is kept, and made anew at once when it ends. A killed
 * process ends its connections and refuses new ones, so this is known in milliseconds, long before its lease is over. One that takes
 * connections and ends them soon is asked no more often than every {@value #LOOK_MS} ms. Guarded by its monitor; what it found is read
 * from any thread.
 */
final class PeerWatch implements AutoCloseable {
    static final long LOOK_MS = 200;

    private final int nodeId;
    private final Supplier<Set<Integer>> nodes;
    private final Network network;
    private final LongSupplier nanoTime;
    private final ScheduledFuture<?> looking;
    private final Map<Integer, Peer> peers = new HashMap<>();
    private boolean closed;
    /** Since when, in nanoseconds. */
    private volatile Map<Integer, Long> unreachable = Map.of();

    private static final class Peer {
        boolean connecting;
        boolean failed;
        long failedNanos;

        @Nullable
        Link link;

        long linkedNanos;
    }

    /**
     * @param nodes those to watch; asked again and again
     * @param own where nothing waits for anything else
     */
    PeerWatch(
            int nodeId,
            Supplier<Set<Integer>> nodes,
            Network network,
            LongSupplier nanoTime,
            ScheduledExecutorService timer,
            Executor own) {
        this.nodeId = nodeId;
        this.nodes = nodes;
        this.network = network;
        this.nanoTime = nanoTime;
        this.looking =
                timer.scheduleWithFixedDelay(() -> own.execute(this::look), LOOK_MS, LOOK_MS, TimeUnit.MILLISECONDS);
    }

    /** Those that cannot be connected to now, and for how long already. */
    Map<Integer, Long> unreachableMs() {
        long now = nanoTime.getAsLong();
        Map<Integer, Long> ms = new HashMap<>();
        unreachable.forEach((node, since) -> ms.put(node, TimeUnit.NANOSECONDS.toMillis(now - since)));
        return ms;
    }

    private synchronized void look() {
        if (closed) {
            return;
        }
        Set<Integer> wanted = new HashSet<>(nodes.get());
        wanted.remove(nodeId);
        peers.forEach((node, peer) -> {
            if (!wanted.contains(node) && peer.link != null) {
                peer.link.close("the node is not watched any more");
            }
        });
        peers.keySet().retainAll(wanted);
        for (int node : wanted) {
            connect(node, peers.computeIfAbsent(node, unknown -> new Peer()));
        }
        note();
    }

    private void connect(int node, Peer peer) {
        if (peer.connecting || peer.link != null || closed) {
            return;
        }
        peer.connecting = true;
        Ends ends = new Ends(node, peer);
        Attempt.of(() -> network.connect(node, ends))
                .whenComplete((link, failure) -> connected(node, peer, ends, link));
    }

    private synchronized void connected(int node, Peer peer, Ends ends, @Nullable Link link) {
        peer.connecting = false;
        if (link == null && !peer.failed) {
            peer.failedNanos = nanoTime.getAsLong();
        }
        peer.failed = link == null;
        if (link != null) {
            if (closed || peers.get(node) != peer) {
                link.close("the node is not watched any more");
                return;
            }
            // It may have ended before this node heard that it began.
            peer.link = ends.over ? null : link;
            peer.linkedNanos = nanoTime.getAsLong();
        }
        note();
    }

    private synchronized void ended(int node, Peer peer, Ends ends) {
        ends.over = true;
        if (peer.link == null) {
            return;
        }
        peer.link = null;
        boolean lasted = nanoTime.getAsLong() - peer.linkedNanos >= TimeUnit.MILLISECONDS.toNanos(LOOK_MS);
        if (lasted && peers.get(node) == peer) {
            connect(node, peer);
        }
    }

    private void note() {
        Map<Integer, Long> now = new HashMap<>();
        peers.forEach((node, peer) -> {
            if (peer.failed) {
                now.put(node, peer.failedNanos);
            }
        });
        unreachable = Map.copyOf(now);
    }

    @Override
    public synchronized void close() {
        closed = true;
        looking.cancel(false);
        peers.values().forEach(peer -> {
            if (peer.link != null) {
                peer.link.close("this node stops watching");
            }
        });
    }

    private final class Ends implements LinkHandler {
        private final int node;
        private final Peer peer;
        private boolean over;

        Ends(int node, Peer peer) {
            this.node = node;
            this.peer = peer;
        }

        @Override
        public void received(ByteBuf message) {
            message.release();
        }

        @Override
        public void closed(String why) {
            ended(node, peer, this);
        }
    }
}
