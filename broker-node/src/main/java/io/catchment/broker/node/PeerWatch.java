package io.catchment.broker.node;

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
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Which other nodes' WALs cannot be connected to: an idle connection to each is kept, and made anew at once when it ends. A killed
 * process ends its connections and refuses new ones, so this is known in milliseconds, long before its lease is over. Guarded by its
 * monitor; what it found is read from any thread.
 */
final class PeerWatch implements AutoCloseable {
    private static final long LOOK_MS = 200;

    private final int nodeId;
    private final Supplier<Set<Integer>> nodes;
    private final Network network;
    private final ScheduledFuture<?> looking;
    private final Map<Integer, Peer> peers = new HashMap<>();
    private boolean closed;
    private volatile Set<Integer> unreachable = Set.of();

    private static final class Peer {
        boolean connecting;
        boolean failed;

        @Nullable
        Link link;
    }

    /** @param nodes those to watch; asked again and again */
    PeerWatch(int nodeId, Supplier<Set<Integer>> nodes, Network network, ScheduledExecutorService timer, Executor own) {
        this.nodeId = nodeId;
        this.nodes = nodes;
        this.network = network;
        this.looking =
                timer.scheduleWithFixedDelay(() -> own.execute(this::look), LOOK_MS, LOOK_MS, TimeUnit.MILLISECONDS);
    }

    Set<Integer> unreachable() {
        return unreachable;
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
        network.connect(node, new Ends(node, peer)).whenComplete((link, failure) -> connected(node, peer, link));
    }

    private synchronized void connected(int node, Peer peer, @Nullable Link link) {
        peer.connecting = false;
        peer.failed = link == null;
        if (link != null) {
            if (closed || peers.get(node) != peer) {
                link.close("the node is not watched any more");
                return;
            }
            peer.link = link;
        }
        note();
    }

    private synchronized void ended(int node, Peer peer) {
        peer.link = null;
        if (peers.get(node) == peer) {
            connect(node, peer);
        }
    }

    private void note() {
        Set<Integer> now = new HashSet<>();
        peers.forEach((node, peer) -> {
            if (peer.failed) {
                now.add(node);
            }
        });
        unreachable = Set.copyOf(now);
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
            ended(node, peer);
        }
    }
}
