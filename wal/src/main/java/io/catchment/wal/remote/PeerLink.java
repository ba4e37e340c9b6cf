package io.catchment.wal.remote;

import io.catchment.wal.StoreRef;
import io.catchment.wal.link.Link;
import io.catchment.wal.link.LinkHandler;
import io.catchment.wal.link.Network;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's requests to one store for one kind of traffic. Guarded by its lock, which is held for a few instructions.
 *
 * <p>Connects on demand, after a failure not before a delay with jitter; until then requests fail at once. A request that is
 * not answered in time ends the connection, and with it all requests under way: each is answered, or fails. What a failed
 * request did over there is unknown. Requests arrive there in the order they were made here.
 */
final class PeerLink {
    private static final Logger LOG = LoggerFactory.getLogger(PeerLink.class);
    private static final int WAITING_MAX = 1_000;
    static final int MESSAGE_BYTES_MAX = 600 << 20;

    /** Reads an answer's fields. */
    interface Decoder<T> {
        T decode(Incoming answer) throws ProtocolException;
    }

    private enum State {
        IDLE,
        CONNECTING,
        GREETING,
        OPEN,
        CLOSED
    }

    private static final class Request<T> {
        private final MessageType type;
        private final MessageType answer;
        private final long deadlineNanos;
        private final Decoder<T> decoder;
        private final CompletableFuture<T> stage = new CompletableFuture<>();
        /** Only while it waits for the connection. */
        private @Nullable Runnable sending;

        Request(MessageType type, MessageType answer, long deadlineNanos, Decoder<T> decoder) {
            this.type = type;
            this.answer = answer;
            this.deadlineNanos = deadlineNanos;
            this.decoder = decoder;
        }
    }

    private final StoreRef peer;
    private final Traffic traffic;
    private final RemoteConfig config;
    private final int nodeId;
    private final Network network;
    private final Loop timers;
    private final LongSupplier nanoTime;
    private final ByteBufAllocator allocator;
    private final Backoff backoff;

    private final ReentrantLock lock = new ReentrantLock();
    private State state = State.IDLE;
    private @Nullable Link link;
    /** Which connection is meant: answers and ends of an older one are ignored. */
    private long generation;

    private Map<Long, Request<?>> pending = new HashMap<>();
    private List<Request<?>> waiting = new ArrayList<>();
    private long nextNumber = 1;
    private long retryNanos;
    private String lastFailure = "";
    private boolean timerArmed;

    PeerLink(
            StoreRef peer,
            Traffic traffic,
            RemoteConfig config,
            int nodeId,
            Network network,
            Loop timers,
            LongSupplier nanoTime,
            ByteBufAllocator allocator,
            Backoff backoff) {
        this.peer = peer;
        this.traffic = traffic;
        this.config = config;
        this.nodeId = nodeId;
        this.network = network;
        this.timers = timers;
        this.nanoTime = nanoTime;
        this.allocator = allocator;
        this.backoff = backoff;
        this.retryNanos = nanoTime.getAsLong();
    }

    StoreRef peer() {
        return peer;
    }

    /**
     * Sends a request.
     *
     * @param fields writes the request's fields
     * @param payload not copied: stays untouched by the caller until the stage completes
     */
    <T> CompletionStage<T> request(
            MessageType type,
            Consumer<Outgoing> fields,
            List<ByteBuf> payload,
            MessageType answer,
            long timeoutMs,
            Decoder<T> decoder) {
        Request<T> request = new Request<>(type, answer, nanoTime.getAsLong() + timeoutMs * 1_000_000, decoder);
        String refused = "";
        boolean connect = false;
        lock.lock();
        try {
            if (state == State.OPEN) {
                send(request, fields, payload);
            } else if (state == State.CLOSED || waiting.size() >= WAITING_MAX) {
                refused = state == State.CLOSED ? "this node is closing" : "too many requests wait for a connection";
            } else if (state == State.IDLE && nanoTime.getAsLong() - retryNanos < 0) {
                refused = lastFailure;
            } else {
                request.sending = () -> send(request, fields, payload);
                waiting.add(request);
                connect = state == State.IDLE;
                if (connect) {
                    state = State.CONNECTING;
                }
            }
            if (refused.isEmpty()) {
                armTimer(timeoutMs);
            }
        } finally {
            lock.unlock();
        }
        if (!refused.isEmpty()) {
            payload.forEach(ByteBuf::release);
            return CompletableFuture.failedStage(new IOException(peer + " cannot be reached: " + refused));
        }
        if (connect) {
            connect();
        }
        return request.stage;
    }

    /** Sends a message that has no answer, if there is a connection; else it is not needed. */
    void tell(MessageType type, Consumer<Outgoing> fields) {
        lock.lock();
        try {
            Link open = link;
            if (state == State.OPEN && open != null) {
                Outgoing message = new Outgoing(allocator, type, 0);
                fields.accept(message);
                open.send(message.end(0), List.of());
            }
        } finally {
            lock.unlock();
        }
    }

    private void send(Request<?> request, Consumer<Outgoing> fields, List<ByteBuf> payload) {
        Link open = link;
        if (open == null) {
            throw new IllegalStateException("no connection to " + peer);
        }
        long number = nextNumber++;
        pending.put(number, request);
        Outgoing message = new Outgoing(allocator, request.type, number);
        fields.accept(message);
        open.send(message.end(Outgoing.bytes(payload)), payload);
    }

    // ---- connecting

    private void connect() {
        long mine;
        lock.lock();
        try {
            mine = ++generation;
        } finally {
            lock.unlock();
        }
        Handler handler = new Handler(mine);
        network.connect(peer.nodeId(), handler).whenComplete((opened, failure) -> {
            if (failure != null) {
                ended(mine, Failures.text(Failures.root(failure)));
            } else {
                greet(mine, opened);
            }
        });
    }

    private void greet(long mine, Link opened) {
        boolean stale;
        lock.lock();
        try {
            stale = mine != generation || state != State.CONNECTING;
            if (!stale) {
                state = State.GREETING;
                link = opened;
                opened.send(
                        new Outgoing(allocator, MessageType.HELLO, 0)
                                .int64(Greeting.MAGIC)
                                .int8(Greeting.VERSION)
                                .int8(traffic.id())
                                .int32(nodeId)
                                .int32(peer.nodeId())
                                .text(config.clusterId())
                                .text(peer.storeId())
                                .end(0),
                        List.of());
            }
        } finally {
            lock.unlock();
        }
        if (stale) {
            opened.close("not needed any more");
        }
    }

    private void welcomed(Incoming message, Link from) throws ProtocolException {
        if (message.type() == MessageType.FAILED) {
            from.close(
                    String.valueOf(Refusals.decode(message, peer + " refused").getMessage()));
            return;
        }
        int node = message.int32();
        String store = message.text();
        if (message.type() != MessageType.WELCOME || node != peer.nodeId() || !store.equals(peer.storeId())) {
            throw new ProtocolException("asked for " + peer + ", node " + node + " with store " + store + " answered");
        }
        from.messageBytesMax(MESSAGE_BYTES_MAX);
        lock.lock();
        try {
            state = State.OPEN;
            lastFailure = "";
            backoff.reset();
            List<Request<?>> ready = waiting;
            waiting = new ArrayList<>();
            for (Request<?> request : ready) {
                Runnable sending = request.sending;
                request.sending = null;
                if (sending != null) {
                    sending.run();
                }
            }
        } finally {
            lock.unlock();
        }
        LOG.debug("Connected to {} for {}", peer, traffic);
    }

    /** What comes over one connection. */
    private final class Handler implements LinkHandler {
        private final long mine;

        Handler(long mine) {
            this.mine = mine;
        }

        @Override
        public void received(ByteBuf message) {
            Link from = currentLink();
            try {
                if (from != null) {
                    handle(new Incoming(message), from);
                }
            } catch (ProtocolException lie) {
                LOG.error("{} broke the protocol, its connection ends: {}", peer, lie.getMessage());
                if (from != null) {
                    from.close(String.valueOf(lie.getMessage()));
                }
            } finally {
                message.release();
            }
        }

        private @Nullable Link currentLink() {
            lock.lock();
            try {
                return mine == generation ? link : null;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void closed(String why) {
            ended(mine, why);
        }
    }

    // ---- answers

    private void handle(Incoming message, Link from) throws ProtocolException {
        Request<?> request;
        lock.lock();
        try {
            if (state == State.GREETING) {
                request = null;
            } else {
                request = pending.remove(message.number());
                if (request == null) {
                    throw new ProtocolException("an answer to request " + message.number() + ", which was never made");
                }
            }
        } finally {
            lock.unlock();
        }
        if (request == null) {
            welcomed(message, from);
        } else {
            answer(request, message);
        }
    }

    private <T> void answer(Request<T> request, Incoming message) throws ProtocolException {
        if (message.type() == MessageType.FAILED) {
            request.stage.completeExceptionally(Refusals.decode(message, peer.toString()));
            return;
        }
        try {
            if (message.type() != request.answer) {
                throw new ProtocolException(request.type + " was answered with " + message.type());
            }
            request.stage.complete(request.decoder.decode(message));
        } catch (ProtocolException lie) {
            // Its buffers may still be on their way out: told only once the connection is gone.
            lock.lock();
            try {
                pending.put(-message.number(), request);
            } finally {
                lock.unlock();
            }
            throw lie;
        }
    }

    // ---- the end of a connection

    private void ended(long mine, String why) {
        List<Request<?>> lost = new ArrayList<>();
        boolean news;
        lock.lock();
        try {
            if (mine != generation || state == State.IDLE) {
                return;
            }
            lost.addAll(pending.values());
            lost.addAll(waiting);
            pending = new HashMap<>();
            waiting = new ArrayList<>();
            link = null;
            news = lastFailure.isEmpty();
            lastFailure = why;
            if (state != State.CLOSED) {
                state = State.IDLE;
                retryNanos = nanoTime.getAsLong() + backoff.nextMs() * 1_000_000;
            }
        } finally {
            lock.unlock();
        }
        if (news) {
            LOG.info("No connection to {} for {}: {}", peer, traffic, why);
        } else {
            LOG.debug("Still no connection to {} for {}: {}", peer, traffic, why);
        }
        fail(lost, why);
    }

    private void fail(List<Request<?>> lost, String why) {
        for (Request<?> request : lost) {
            request.stage.completeExceptionally(
                    new IOException(request.type + " to " + peer + " was not answered: " + why));
        }
    }

    private void armTimer(long delayMs) {
        if (!timerArmed) {
            timerArmed = true;
            timers.schedule(Math.max(1, delayMs), this::checkDeadlines);
        }
    }

    private void checkDeadlines() {
        Link slow = null;
        String why = "";
        long mine = 0;
        lock.lock();
        try {
            timerArmed = false;
            long now = nanoTime.getAsLong();
            long nearest = Long.MAX_VALUE;
            for (Map.Entry<Long, Request<?>> entry : pending.entrySet()) {
                nearest = Math.min(nearest, entry.getValue().deadlineNanos - now);
                if (entry.getValue().deadlineNanos - now <= 0) {
                    why = entry.getValue().type + " was not answered in time";
                }
            }
            for (Request<?> request : waiting) {
                nearest = Math.min(nearest, request.deadlineNanos - now);
                if (request.deadlineNanos - now <= 0) {
                    why = "no connection in time";
                }
            }
            if (!why.isEmpty()) {
                slow = link;
                mine = generation;
            }
            if (nearest != Long.MAX_VALUE) {
                // After an end all are failed at once; until then look again now and then.
                armTimer(Math.max(20, nearest / 1_000_000 + 1));
            }
        } finally {
            lock.unlock();
        }
        if (slow != null) {
            slow.close(why);
        } else if (!why.isEmpty()) {
            ended(mine, why);
        }
    }

    /** For ever. */
    void close() {
        Link open;
        List<Request<?>> unsent;
        lock.lock();
        try {
            open = link;
            unsent = waiting;
            waiting = new ArrayList<>();
            state = State.CLOSED;
        } finally {
            lock.unlock();
        }
        fail(unsent, "this node is closing");
        if (open != null) {
            open.close("this node is closing");
        }
    }
}
