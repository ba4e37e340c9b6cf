package io.catchment.broker.observe;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.timeout.IdleStateEvent;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One HTTP connection, answered by its routes. Owned by the HTTP server's thread. A request is asked for when the answer before has left: who sends many
 * and reads none holds up itself, and has one answer in memory.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the connection
final class HttpConnection extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final Logger LOG = LoggerFactory.getLogger(HttpConnection.class);

    private final HttpServer server;
    /** The next request is asked for, and not here yet. */
    private boolean waiting;

    HttpConnection(HttpServer server) {
        this.server = server;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        next(ctx);
    }

    private void next(ChannelHandlerContext ctx) {
        waiting = true;
        ctx.read();
    }

    /** A read that brought a part of a request only counts as done all the same. */
    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (waiting) {
            ctx.read();
        }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
        waiting = false;
        // nothing that follows what is not HTTP can be understood
        boolean keepAlive = request.decoderResult().isSuccess() && HttpUtil.isKeepAlive(request);
        String call = request.method() + " " + request.uri();
        boolean head = request.method().equals(HttpMethod.HEAD);
        var unused = route(request)
                .handle((given, failure) -> {
                    if (failure == null) {
                        return given;
                    }
                    LOG.error("HTTP {} failed", call, failure);
                    return HttpRoute.Answer.text(500, "Failed, see the node's log.\n");
                })
                .thenAcceptAsync(given -> write(ctx, given, keepAlive, head), ctx.executor());
    }

    private CompletionStage<HttpRoute.Answer> route(FullHttpRequest request) {
        if (!request.decoderResult().isSuccess()) {
            return CompletableFuture.completedFuture(HttpRoute.Answer.text(400, "This is not HTTP.\n"));
        }
        try {
            QueryStringDecoder uri = new QueryStringDecoder(request.uri());
            HttpRoute route = server.find(uri.path());
            if (route == null) {
                return CompletableFuture.completedFuture(HttpRoute.Answer.text(
                        404, "There is nothing at this path. There is: " + String.join(" ", server.paths()) + "\n"));
            }
            return route.answer(new HttpRoute.Call(
                    request.method().name(), uri.path(), uri.parameters(), ByteBufUtil.getBytes(request.content())));
        } catch (IllegalArgumentException e) {
            return CompletableFuture.completedFuture(HttpRoute.Answer.text(400, e.getMessage() + "\n"));
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void write(ChannelHandlerContext ctx, HttpRoute.Answer answer, boolean keepAlive, boolean head) {
        ByteBuf body = head ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(answer.body());
        FullHttpResponse response =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(answer.status()), body);
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, answer.contentType())
                .set(HttpHeaderNames.CACHE_CONTROL, "no-store");
        HttpUtil.setContentLength(response, answer.body().length);
        HttpUtil.setKeepAlive(response, keepAlive);
        ctx.writeAndFlush(response).addListener(written -> {
            if (keepAlive && written.isSuccess()) {
                next(ctx);
            } else {
                ctx.close();
            }
        });
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof IdleStateEvent) {
            ctx.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LOG.debug("HTTP connection {} broke", ctx.channel(), cause);
        ctx.close();
    }
}
