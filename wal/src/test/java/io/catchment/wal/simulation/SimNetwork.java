package io.catchment.wal.simulation;

import io.catchment.wal.link.Link;
import io.catchment.wal.link.LinkHandler;
import io.catchment.wal.link.Network;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Connections between simulated nodes: in order within one direction of a connection, delayed at random otherwise. A cut
 * direction holds its messages back until it is healed, as TCP would; the end of a connection travels like a message, and
 * what was under way when it ended may or may not arrive before it.
 */
final class SimNetwork {
    private static final double CONNECT_TIMEOUT_MS = 1_000;

    private record Way(int from, int to) {}

    /** A node that listens. */
    private record Listener(SimScheduler.Life life, Function<Link, LinkHandler> acceptor) {}

    private final SimScheduler scheduler;
    private final SplittableRandom random;
    private final Map<Integer, Listener> listeners = new TreeMap<>();
    private final Set<Way> cut = new HashSet<>();
    private final List<Connection> connections = new ArrayList<>();

    SimNetwork(SimScheduler scheduler, SplittableRandom random) {
        this.scheduler = scheduler;
        this.random = random;
    }

    void listen(int node, SimScheduler.Life life, Function<Link, LinkHandler> acceptor) {
        listeners.put(node, new Listener(life, acceptor));
    }

    /** The process is gone: nobody listens, and its peers hear of it sooner or later. */
    void crashed(int node) {
        listeners.remove(node);
        for (Connection connection : List.copyOf(connections)) {
            connection.crashed(node);
        }
    }

    void cut(int from, int to) {
        cut.add(new Way(from, to));
    }

    void heal() {
        cut.clear();
        List.copyOf(connections).forEach(connection -> {
            connection.there.deliver();
            connection.back.deliver();
        });
    }

    private boolean open(int from, int to) {
        return !cut.contains(new Way(from, to));
    }

    private double latencyMs() {
        return random.nextDouble() * (random.nextInt(40) == 0 ? 200 : 1);
    }

    /** The network as one run of a node sees it. */
    Network of(int node, SimScheduler.Life life) {
        return new Network() {
            @Override
            public CompletionStage<Link> connect(int to, LinkHandler handler) {
                CompletableFuture<Link> connected = new CompletableFuture<>();
                attempt(node, life, to, handler, connected, scheduler.nowNanos());
                return connected;
            }

            @Override
            public void close() {}
        };
    }

    private void attempt(
            int from,
            SimScheduler.Life life,
            int to,
            LinkHandler handler,
            CompletableFuture<Link> connected,
            long startedNanos) {
        scheduler.afterMs(
                latencyMs(),
                () -> life.run(() -> {
                    Listener listener = listeners.get(to);
                    if (!open(from, to) || !open(to, from)) {
                        if (scheduler.nowNanos() - startedNanos > CONNECT_TIMEOUT_MS * 1e6) {
                            connected.completeExceptionally(new IOException("connect timed out (simulated)"));
                        } else {
                            // The system sends its request again.
                            scheduler.afterMs(50, () -> attempt(from, life, to, handler, connected, startedNanos));
                        }
                    } else if (listener == null || listener.life.isOver()) {
                        connected.completeExceptionally(new IOException("connection refused (simulated)"));
                    } else {
                        Connection connection = new Connection(from, life, to, listener.life);
                        connections.add(connection);
                        connection.there.handler = listener.acceptor.apply(connection.back);
                        connection.back.handler = handler;
                        connected.complete(connection.there);
                    }
                }));
    }

    private final class Connection {
        private final Direction there;
        private final Direction back;

        Connection(int client, SimScheduler.Life clientLife, int server, SimScheduler.Life serverLife) {
            there = new Direction(this, client, clientLife, server, serverLife);
            back = new Direction(this, server, serverLife, client, clientLife);
        }

        void crashed(int node) {
            for (Direction direction : List.of(there, back)) {
                if (direction.from == node) {
                    if (random.nextInt(4) > 0) {
                        direction.end("the peer crashed (simulated)");
                    }
                }
            }
            if (there.from == node || back.from == node) {
                connections.remove(this);
            }
        }
    }

    /** One direction of a connection; as a link it sends this way. */
    private final class Direction implements Link {
        private final Connection connection;
        private final int from;
        private final SimScheduler.Life sender;
        private final int to;
        private final SimScheduler.Life receiver;
        /** Messages, or a text: the end. */
        private final Deque<Object> underWay = new ArrayDeque<>();

        private LinkHandler handler;
        private long lastNanos;
        private boolean ended;
        private boolean closedHere;

        Direction(Connection connection, int from, SimScheduler.Life sender, int to, SimScheduler.Life receiver) {
            this.connection = connection;
            this.from = from;
            this.sender = sender;
            this.to = to;
            this.receiver = receiver;
        }

        private Direction other() {
            return this == connection.there ? connection.back : connection.there;
        }

        @Override
        public void send(ByteBuf head, List<ByteBuf> payload) {
            ByteBuf message = Unpooled.buffer(head.readableBytes() + 64);
            message.writeBytes(head);
            head.release();
            for (ByteBuf part : payload) {
                message.writeBytes(part);
                part.release();
            }
            if (!ended && !closedHere) {
                underWay.add(message);
                later();
            }
        }

        private void later() {
            lastNanos = Math.max(lastNanos, scheduler.nowNanos() + (long) (latencyMs() * 1e6));
            scheduler.at(lastNanos, this::deliver);
        }

        private void deliver() {
            if (underWay.isEmpty() || !open(from, to)) {
                return;
            }
            Object first = underWay.poll();
            receiver.run(() -> arrived(first));
            if (!underWay.isEmpty()) {
                later();
            }
        }

        private void arrived(Object what) {
            if (what instanceof ByteBuf message) {
                if (!other().closedHere) {
                    int length = message.readInt();
                    if (length != message.readableBytes()) {
                        throw new AssertionError("a message of " + message.readableBytes() + " bytes says " + length);
                    }
                    handler.received(message);
                }
            } else {
                other().closedLocally(String.valueOf(what));
            }
        }

        /** The end, as the other side will hear it. */
        private void end(String why) {
            if (!ended) {
                ended = true;
                if (random.nextBoolean()) {
                    underWay.clear();
                }
                underWay.add(why);
                later();
            }
        }

        /** This side's handler hears the end, once. */
        private void closedLocally(String why) {
            if (!closedHere) {
                closedHere = true;
                connections.remove(connection);
                other().handler.closed(why);
                end(why);
            }
        }

        @Override
        public void messageBytesMax(int bytes) {}

        @Override
        public void pauseReading(boolean paused) {}

        @Override
        public void close(String why) {
            scheduler.afterMs(0, () -> sender.run(() -> closedLocally(why)));
        }

        @Override
        public String peer() {
            return "node-" + to;
        }
    }
}
