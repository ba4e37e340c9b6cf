package io.catchment.broker.network;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request on its way through a handler. The answer may come from any thread, once: an atomic flag decides which is the one.
 * All else belongs to the connection's event loop.
 */
final class PendingRequest implements Request {
    private static final Logger LOG = LoggerFactory.getLogger(PendingRequest.class);
    private static final LogLimiter FAILURES = new LogLimiter();

    private final KafkaConnection connection;
    private final RequestContext context;
    private final AbstractRequest body;
    private final ByteBuf buffer;
    private final int reservedBytes;
    private final long startNanos;
    private final AtomicBoolean answered = new AtomicBoolean();

    private boolean complete;
    private int throttleMs;
    private long handlingNanos;
    private @Nullable AbstractResponse response;
    private @Nullable Runnable disconnectListener;

    /** Takes over the reference of {@code buffer} and the reservation. */
    PendingRequest(
            KafkaConnection connection,
            RequestContext context,
            AbstractRequest body,
            ByteBuf buffer,
            int reservedBytes,
            long startNanos) {
        this.connection = connection;
        this.context = context;
        this.body = body;
        this.buffer = buffer;
        this.reservedBytes = reservedBytes;
        this.startNanos = startNanos;
    }

    // ---- for the handler

    @Override
    public RequestHeader header() {
        return context.header;
    }

    @Override
    public RequestContext context() {
        return context;
    }

    @Override
    public AbstractRequest body() {
        return body;
    }

    @Override
    public String listener() {
        return context.listenerName();
    }

    @Override
    public InetAddress clientAddress() {
        return context.clientAddress;
    }

    @Override
    public int answerBytesMax() {
        return connection.answerBytesMax();
    }

    @Override
    public EventLoop eventLoop() {
        return connection.eventLoop();
    }

    @Override
    public ByteBuf buffer() {
        return buffer;
    }

    @Override
    public void throttle(int ms) {
        if (ms > throttleMs) {
            throttleMs = ms;
            connection.mute(ms);
        }
    }

    @Override
    public void respond(AbstractResponse answer) {
        if (!answered.compareAndSet(false, true)) {
            ResponseWriter.release(answer);
            throw new IllegalStateException("second answer to " + context.header);
        }
        completeOnLoop(answer);
    }

    @Override
    public void respondNothing() {
        if (!answered.compareAndSet(false, true)) {
            throw new IllegalStateException("second answer to " + context.header);
        }
        completeOnLoop(null);
    }

    @Override
    public void fail(Throwable failure) {
        Throwable cause = unwrap(failure);
        boolean expected = cause instanceof ApiException;
        if (!expected && FAILURES.permits()) {
            LOG.error(
                    "{} of {} failed unexpectedly{}",
                    context.header,
                    context.connectionId,
                    FAILURES.suppressedNote(),
                    cause);
        }
        if (!answered.compareAndSet(false, true)) {
            if (expected) {
                LOG.warn("{} failed after it was answered", context.header, cause);
            }
            return;
        }
        AbstractResponse answer = errorAnswer(cause);
        if (answer == null) {
            connection.closeFromAnyThread(
                    CloseReason.ERROR, header().apiKey() + " failed and has no answer to say so: " + cause);
        }
        completeOnLoop(answer);
    }

    @Override
    public void onDisconnect(Runnable listener) {
        if (eventLoop().inEventLoop()) {
            listenOnLoop(listener);
        } else {
            eventLoop().execute(() -> listenOnLoop(listener));
        }
    }

    @Override
    public void onConnectionClosed(Runnable listener) {
        connection.whenClosed(() -> runListener(listener));
    }

    // ---- for the connection, on its event loop

    ApiKeys api() {
        return context.header.apiKey();
    }

    boolean isComplete() {
        return complete;
    }

    @Nullable
    AbstractResponse response() {
        return response;
    }

    long startNanos() {
        return startNanos;
    }

    int throttleMs() {
        return throttleMs;
    }

    /** The handler has returned; the answer may yet be to come. */
    void handled(long nanos) {
        handlingNanos = nanos;
    }

    /** Of the event loop's time, parsing included; an answer that was given while it was handled is taken as its end. */
    long handlingNanos() {
        return handlingNanos == 0 ? System.nanoTime() - startNanos : handlingNanos;
    }

    void disconnected() {
        Runnable listener = disconnectListener;
        disconnectListener = null;
        if (listener != null && !complete) {
            runListener(listener);
        }
    }

    // ---- steps

    private void completeOnLoop(@Nullable AbstractResponse answer) {
        if (eventLoop().inEventLoop()) {
            complete(answer);
            return;
        }
        try {
            eventLoop().execute(() -> complete(answer));
        } catch (RejectedExecutionException loopIsGone) {
            if (answer != null) {
                ResponseWriter.release(answer);
            }
            buffer.release();
        }
    }

    private void complete(@Nullable AbstractResponse answer) {
        complete = true;
        response = answer;
        disconnectListener = null;
        buffer.release();
        if (reservedBytes > 0) {
            connection.giveBack(reservedBytes);
        }
        connection.completed();
    }

    private void listenOnLoop(Runnable listener) {
        if (complete) {
            return;
        }
        if (connection.isClosed()) {
            runListener(listener);
            return;
        }
        Runnable before = disconnectListener;
        disconnectListener = before == null
                ? listener
                : () -> {
                    runListener(before);
                    runListener(listener);
                };
    }

    private void runListener(Runnable listener) {
        try {
            listener.run();
        } catch (RuntimeException e) {
            LOG.error("Disconnect listener of {} failed", context.header, e);
        }
    }

    private @Nullable AbstractResponse errorAnswer(Throwable cause) {
        try {
            return body.getErrorResponse(cause);
        } catch (RuntimeException noErrorForm) {
            LOG.debug("{} has no error answer", api(), noErrorForm);
            return null;
        }
    }

    private static Throwable unwrap(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }
}
