package io.catchment.controlplane.rpc;

import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.network.ByteBufferSend;
import org.apache.kafka.common.network.ChannelState;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.network.NetworkReceive;
import org.apache.kafka.common.network.NetworkSend;
import org.apache.kafka.common.network.PlaintextChannelBuilder;
import org.apache.kafka.common.network.Selectable;
import org.apache.kafka.common.network.Selector;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.LogContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's connection to the active controller, for commands. One thread of its own owns the socket; it sleeps when nothing is
 * under way. {@link #send} is thread-safe and bounded by its caller, who limits the commands in flight.
 *
 * <p>A stage that fails with {@link NotSentException} certainly did not reach the controller; any other failure leaves it open.
 *
 * <p>One that is silent for {@value #SILENCE_MS} ms though it owes an answer, or does not come about, is given up: what carried it may be
 * gone without a word, and TCP alone waits for many minutes. What is asked next makes a new one. No failure ends the thread, want of memory
 * neither: without it this node could not be heard of any more.
 */
public final class LeaderConnection implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderConnection.class);
    private static final int BUFFER_BYTES = 256 * 1024;
    private static final long IDLE_POLL_MS = 60_000;
    private static final long SILENCE_MS = 5_000;
    /** After a failure, doubling while nothing else comes: what fails at once must not take a processor, nor fill the log. */
    private static final long PAUSE_FIRST_MS = 10;

    private static final long PAUSE_MAX_MS = 1_000;

    private final Time time;
    private final long silenceMs;
    private final Selector selector;
    private final Metrics metrics;
    private final Thread thread;
    private final ConcurrentLinkedQueue<Call> calls = new ConcurrentLinkedQueue<>();
    private final Map<Integer, Call> sent = new HashMap<>();
    private final List<Call> waiting = new ArrayList<>();
    private volatile boolean closed;
    private @Nullable InetSocketAddress peer;
    private boolean ready;
    private String connection = "";
    private int connections;
    private int correlationId;
    /** When the peer gave its last sign of life, or began to owe one. */
    private long signMs;

    public LeaderConnection(ListenerName listener, int nodeId, Time time) {
        this(listener, nodeId, time, SILENCE_MS);
    }

    LeaderConnection(ListenerName listener, int nodeId, Time time, long silenceMs) {
        this.time = time;
        this.silenceMs = silenceMs;
        PlaintextChannelBuilder channels = new PlaintextChannelBuilder(listener);
        channels.configure(Map.of());
        metrics = new Metrics(time);
        selector = new Selector(
                Selector.NO_IDLE_TIMEOUT_MS,
                metrics,
                time,
                "command",
                channels,
                new LogContext("[commands-" + nodeId + "] "));
        thread = new Thread(this::run, "commands-" + nodeId);
        thread.setDaemon(true);
        thread.start();
    }

    private record Call(InetSocketAddress peer, CommandRequest request, CompletableFuture<CommandResponse> answer) {}

    /** It was not sent. */
    public static class NotSentException extends IOException {
        private static final long serialVersionUID = 1L;

        NotSentException(String message) {
            super(message);
        }
    }

    /** It was not sent: nobody listens at the address. */
    public static final class RefusedException extends NotSentException {
        private static final long serialVersionUID = 1L;

        RefusedException(String message) {
            super(message);
        }
    }

    public CompletableFuture<CommandResponse> send(InetSocketAddress controller, CommandRequest request) {
        Call call = new Call(controller, request, new CompletableFuture<>());
        calls.add(call);
        selector.wakeup();
        if (closed) {
            call.answer().completeExceptionally(new NotSentException("this node is closing"));
        }
        return call.answer();
    }

    @Override
    public void close() {
        closed = true;
        selector.wakeup();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        int failures = 0;
        while (!closed) {
            try {
                step();
                failures = 0;
            } catch (Throwable e) {
                failed(e);
                time.sleep(Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS << Math.min(failures++, 20)));
            }
        }
        disconnect("this node is closing");
        selector.close();
        metrics.close();
        takeClosed();
    }

    private void failed(Throwable failure) {
        try {
            LOG.warn("connection to the controller at {} failed", peer, failure);
            disconnect(String.valueOf(failure.getMessage()));
        } catch (Throwable again) {
            LOG.debug("and could not be closed: the next step, or its silence, ends it", again);
        }
    }

    private void step() throws IOException {
        takeCalls();
        selector.poll(pollMs());
        if (selector.connected().contains(connection)) {
            ready = true;
            signMs = time.hiResClockMs();
        }
        sendWaiting();
        receive();
        ended(selector.disconnected().get(connection));
        giveUpIfSilent();
    }

    private boolean isOwed() {
        return !sent.isEmpty() || !waiting.isEmpty();
    }

    private long pollMs() {
        return isOwed() ? Math.max(1, signMs + silenceMs - time.hiResClockMs()) : IDLE_POLL_MS;
    }

    /** After what has arrived was taken: this process may have been the one that was silent. */
    private void giveUpIfSilent() {
        if (isOwed() && time.hiResClockMs() - signMs >= silenceMs) {
            LOG.warn("the controller at {} has been silent for {} ms: the connection is made anew", peer, silenceMs);
            disconnect("the controller at " + peer + " was silent for " + silenceMs + " ms");
        }
    }

    private void ended(@Nullable ChannelState how) {
        if (how == null) {
            return;
        }
        if (how.state() == ChannelState.State.NOT_CONNECTED) {
            // Whatever was to be sent was waiting for this connection
            String reason = "the controller at " + peer + " takes no connections";
            List.copyOf(waiting).forEach(call -> call.answer().completeExceptionally(new RefusedException(reason)));
            waiting.clear();
            disconnect(reason);
        } else {
            disconnect("the controller at " + peer + " closed the connection");
        }
    }

    private void takeClosed() {
        for (Call call = calls.poll(); call != null; call = calls.poll()) {
            call.answer().completeExceptionally(new NotSentException("this node is closing"));
        }
    }

    private void takeCalls() throws IOException {
        for (Call call = calls.poll(); call != null; call = calls.poll()) {
            try {
                take(call);
            } catch (Throwable e) {
                call.answer().completeExceptionally(new NotSentException(String.valueOf(e.getMessage())));
                throw e;
            }
        }
        sendWaiting();
    }

    private void take(Call call) throws IOException {
        if (!isOwed()) {
            signMs = time.hiResClockMs();
        }
        if (call.peer().equals(peer)) {
            waiting.add(call);
        } else {
            disconnect("the controller moved to " + call.peer());
            waiting.add(call);
            connect(call.peer());
        }
    }

    private void connect(InetSocketAddress to) throws IOException {
        peer = to;
        connection = "controller-" + connections++;
        signMs = time.hiResClockMs();
        InetSocketAddress resolved = to.isUnresolved() ? new InetSocketAddress(to.getHostString(), to.getPort()) : to;
        if (resolved.isUnresolved()) {
            throw new IOException("the controller's host " + to.getHostString() + " has no address");
        }
        selector.connect(connection, resolved, Selectable.USE_DEFAULT_BUFFER_SIZE, BUFFER_BYTES);
    }

    /** A channel takes one send at a time. */
    private void sendWaiting() {
        if (!ready || waiting.isEmpty() || selector.channel(connection) == null) {
            return;
        }
        if (!selector.channel(connection).ready()
                || selector.channel(connection).hasSend()) {
            return;
        }
        Call call = waiting.remove(0);
        int id = correlationId++;
        sent.put(id, call);
        ByteBuffer frame = CommandFrames.writeRequest(id, call.request());
        selector.send(new NetworkSend(connection, ByteBufferSend.sizePrefixed(frame)));
        selector.wakeup();
    }

    private void receive() {
        for (NetworkReceive receive : selector.completedReceives()) {
            if (receive.source().equals(connection)) {
                signMs = time.hiResClockMs();
                CommandFrames.Response response = CommandFrames.readResponse(receive.payload());
                @Nullable Call call = sent.remove(response.correlationId());
                if (call != null) {
                    call.answer().complete(response.body());
                }
            }
        }
    }

    /** Whatever becomes of the socket, its calls are answered. */
    private void disconnect(String reason) {
        boolean connected = peer != null;
        String former = connection;
        peer = null;
        ready = false;
        connection = "";
        try {
            if (connected) {
                selector.close(former);
            }
        } finally {
            giveUpCalls(reason);
        }
    }

    private void giveUpCalls(String reason) {
        List<Call> unsent = List.copyOf(waiting);
        List<Call> unanswered = List.copyOf(sent.values());
        waiting.clear();
        sent.clear();
        unsent.forEach(call -> call.answer().completeExceptionally(new NotSentException(reason)));
        unanswered.forEach(call -> call.answer().completeExceptionally(new IOException(reason)));
    }
}
