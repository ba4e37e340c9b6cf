package io.catchment.broker.testing;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/**
 * A request without a connection. Request and response go through Kafka's serialisation at the request's version, so that a
 * field the version does not know, or a null it does not allow, fails the test.
 */
public final class FakeRequest implements Request {
    private static final EventLoop LOOP = new DefaultEventLoop(new DefaultThreadFactory("fake-request", true));
    private static final long DEADLINE_S = 10;

    private final RequestHeader header;
    private final AbstractRequest body;
    private final String listener;
    private final CompletableFuture<AbstractResponse> answer = new CompletableFuture<>();

    private FakeRequest(AbstractRequest request, String listener) {
        this.header = new RequestHeader(request.apiKey(), request.version(), "test-client", 1);
        this.body = AbstractRequest.parseRequest(
                        request.apiKey(),
                        request.version(),
                        new ByteBufferAccessor(MessageUtil.toByteBufferAccessor(request.data(), request.version())
                                .buffer()))
                .request;
        this.listener = listener;
    }

    /** Hands the request to the handler as the network would. */
    public static FakeRequest sent(ApiHandler handler, AbstractRequest request, String listener) {
        FakeRequest sent = new FakeRequest(request, listener);
        LOOP.execute(() -> {
            try {
                handler.handle(sent);
            } catch (RuntimeException e) {
                sent.fail(e);
            }
        });
        return sent;
    }

    /** The answer to a request that came in by the listener PLAINTEXT. */
    public static AbstractResponse call(ApiHandler handler, AbstractRequest request) {
        return call(handler, request, "PLAINTEXT");
    }

    public static AbstractResponse call(ApiHandler handler, AbstractRequest request, String listener) {
        return sent(handler, request, listener).answer();
    }

    public boolean isAnswered() {
        return answer.isDone();
    }

    /** Waits until all that was submitted to the event loop before has run. */
    public static void settle() {
        try {
            LOOP.submit(() -> {}).get(DEADLINE_S, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    /** Done with the answer, or with why it could not be written. */
    public CompletableFuture<AbstractResponse> pending() {
        return answer.copy();
    }

    public AbstractResponse answer() {
        try {
            return answer.get(DEADLINE_S, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("No answer to " + body, e);
        }
    }

    @Override
    public RequestHeader header() {
        return header;
    }

    @Override
    public RequestContext context() {
        return new RequestContext(
                header,
                "test-connection",
                clientAddress(),
                KafkaPrincipal.ANONYMOUS,
                new ListenerName(listener),
                SecurityProtocol.PLAINTEXT,
                ClientInformation.EMPTY,
                false);
    }

    @Override
    public AbstractRequest body() {
        return body;
    }

    @Override
    public String listener() {
        return listener;
    }

    @Override
    public InetAddress clientAddress() {
        return InetAddress.getLoopbackAddress();
    }

    @Override
    public EventLoop eventLoop() {
        return LOOP;
    }

    @Override
    public ByteBuf buffer() {
        return Unpooled.EMPTY_BUFFER;
    }

    @Override
    public void respond(AbstractResponse response) {
        ApiKeys api = header.apiKey();
        try {
            ByteBuffer bytes = MessageUtil.toByteBufferAccessor(response.data(), header.apiVersion())
                    .buffer();
            if (!answer.complete(
                    AbstractResponse.parseResponse(api, new ByteBufferAccessor(bytes), header.apiVersion()))) {
                throw new IllegalStateException("Answered twice");
            }
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
            throw e;
        }
    }

    @Override
    public void respondNothing() {
        throw new IllegalStateException("An answer is due");
    }

    @Override
    public void fail(Throwable cause) {
        respond(body.getErrorResponse(0, cause));
    }

    @Override
    public void onDisconnect(Runnable listener) {}

    @Override
    public void onConnectionClosed(Runnable listener) {}
}
