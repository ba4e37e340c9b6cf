package io.catchment.broker.group;

import io.catchment.broker.network.Request;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/** A request that was on the wire, and whose answer will have been: both are written and read back at their version. */
final class FakeRequest implements Request {
    private final RequestContext context;
    private final AbstractRequest body;
    private final CompletableFuture<AbstractResponse> answer = new CompletableFuture<>();

    FakeRequest(AbstractRequest request) {
        RequestHeader header = new RequestHeader(request.apiKey(), request.version(), "client-1", 7);
        ByteBuffer wire = request.serializeWithHeader(header);
        this.context = new RequestContext(
                RequestHeader.parse(wire),
                "connection-1",
                InetAddress.getLoopbackAddress(),
                KafkaPrincipal.ANONYMOUS,
                ListenerName.normalised("PLAINTEXT"),
                SecurityProtocol.PLAINTEXT,
                ClientInformation.EMPTY,
                false);
        this.body = context.parseRequest(wire).request;
    }

    CompletableFuture<AbstractResponse> answer() {
        return answer;
    }

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
        return context.clientAddress();
    }

    @Override
    public EventLoop eventLoop() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ByteBuf buffer() {
        return Unpooled.EMPTY_BUFFER;
    }

    @Override
    public void respond(AbstractResponse response) {
        short version = header().apiVersion();
        AbstractResponse received;
        try {
            ByteBuffer wire = RequestUtils.serialize(
                    header().toResponseHeader().data(),
                    header().toResponseHeader().headerVersion(),
                    response.data(),
                    version);
            received = AbstractResponse.parseResponse(wire, header());
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
            return;
        }
        if (!answer.complete(received)) {
            throw new IllegalStateException("answered twice");
        }
    }

    @Override
    public void respondNothing() {
        answer.completeExceptionally(new AssertionError("no answer"));
    }

    @Override
    public void fail(Throwable cause) {
        respond(body.getErrorResponse(0, cause));
    }

    @Override
    public void onDisconnect(Runnable listener) {}
}
