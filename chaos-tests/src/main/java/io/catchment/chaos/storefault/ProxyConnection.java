package io.catchment.chaos.storefault;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection and the one to the store behind it, both on one event loop, which owns all of this. One exchange at a time. Neither
 * side is read before the other has taken what was read last, and before the link had the time for it.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write or a close is seen when the channel closes
final class ProxyConnection {
    private static final int HEADER_BYTES_MAX = 64 << 10;
    private static final int CONNECT_MS = 3_000;

    private final SocketChannel client;
    private final StoreProxy.Route route;
    /** What came with the same read while the connection to the store was being made; bounded by one read. */
    private final Queue<Object> toStore = new ArrayDeque<>();

    private @Nullable Channel store;
    private boolean connecting;
    private @Nullable Exchange exchange;
    private boolean held;

    ProxyConnection(SocketChannel client, StoreProxy.Route route) {
        this.client = client;
        this.route = route;
    }

    void install() {
        client.pipeline()
                .addLast(new HttpServerCodec(HEADER_BYTES_MAX, HEADER_BYTES_MAX, StoreProxy.READ_BYTES))
                .addLast(new ClientSide());
    }

    private final class ClientSide extends ChannelInboundHandlerAdapter {
        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            client.read();
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (held) {
                ReferenceCountUtil.release(message);
                return;
            }
            if (message instanceof HttpRequest request) {
                begin(request);
            }
            if (message instanceof HttpContent content) {
                requestBody(content);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            readClient();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            readStore();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            drop();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            reset();
        }
    }

    private final class StoreSide extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (held || exchange == null) {
                ReferenceCountUtil.release(message);
                return;
            }
            if (message instanceof HttpResponse response) {
                answerHead(response);
            }
            if (message instanceof HttpContent content) {
                answerBody(content);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            readStore();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            readClient();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (ctx.channel() == store) {
                store = null;
            }
            if (exchange != null && !held) {
                reset();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }

    // ---- towards the store

    private void begin(HttpRequest request) {
        if (exchange != null) {
            reset(); // pipelining: no client of S3 does that
            return;
        }
        RequestKind kind = RequestKind.of(request.method().name(), request.uri());
        route.traffic().arrived(kind);
        Fault fault = route.faults().fault(kind);
        if (fault != null) {
            route.traffic().befallen(kind);
        }
        Exchange begun = new Exchange(
                request,
                kind,
                fault,
                route.faults().trapFor(kind, request.uri(), HttpUtil.getContentLength(request, 0L)));
        exchange = begun;
        if (begun.trapAt(Trap.Moment.BEFORE)) {
            hold(begun);
        } else if (begun.resetAt(Fault.Reset.Where.AT_ONCE)) {
            reset();
        } else if (!begun.swallowed()) {
            if (fault instanceof Fault.Delay) {
                closeStore(); // a read of it may be under way: the answer would be here at once
            }
            send(ReferenceCountUtil.retain(request));
        } else if (HttpUtil.is100ContinueExpected(request)) {
            client.writeAndFlush(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
        }
    }

    private void requestBody(HttpContent content) {
        Exchange of = exchange;
        if (of == null || held || !client.isActive()) {
            content.release();
            return;
        }
        int bytes = content.content().readableBytes();
        of.up(bytes);
        route.traffic().up(bytes);
        route.up().takeNanos(bytes);
        boolean last = content instanceof LastHttpContent;
        of.requestEnded = last;
        if (of.swallowed()) {
            content.release();
            if (last && of.fault instanceof Fault.Answer answer) {
                answerInstead(of, answer);
            }
            return;
        }
        if (bytes > 0 && of.halfUp()) {
            if (of.trapAt(Trap.Moment.MIDDLE) || of.resetAt(Fault.Reset.Where.REQUEST_BODY)) {
                halfThenEnd(of, content);
                return;
            }
            if (of.fault instanceof Fault.RequestCorrupted && of.corruptNow()) {
                Bodies.flip(content.content());
            }
        }
        send(content);
    }

    /** The store gets half of these bytes and never the rest. */
    private void halfThenEnd(Exchange of, HttpContent content) {
        send(Bodies.half(content));
        if (of.trapAt(Trap.Moment.MIDDLE)) {
            hold(of);
        } else {
            reset();
        }
    }

    private void send(Object message) {
        Channel open = store;
        if (open != null) {
            open.writeAndFlush(message);
            return;
        }
        toStore.add(message);
        if (!connecting) {
            connect();
        }
    }

    private void connect() {
        connecting = true;
        new Bootstrap()
                .group(client.eventLoop())
                .channel(NioSocketChannel.class)
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(StoreProxy.READ_BYTES))
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline()
                                .addLast(new HttpClientCodec(HEADER_BYTES_MAX, HEADER_BYTES_MAX, StoreProxy.READ_BYTES))
                                .addLast(new StoreSide());
                    }
                })
                .connect(route.target())
                .addListener(
                        (ChannelFutureListener) connected -> connected(connected.isSuccess(), connected.channel()));
    }

    private void connected(boolean success, Channel channel) {
        connecting = false;
        if (!success || !client.isActive()) {
            channel.close();
            reset();
            return;
        }
        store = channel;
        for (Object message = toStore.poll(); message != null; message = toStore.poll()) {
            channel.write(message);
        }
        channel.flush();
        readStore();
        readClient();
    }

    /** Also while an answer is waited for: to hear of a client that hangs up. */
    private void readClient() {
        Channel open = store;
        boolean taken = connecting ? toStore.isEmpty() : open == null || open.isWritable();
        if (!held && taken && client.isActive()) {
            after(route.up(), client, 0);
        }
    }

    // ---- towards the client

    private void answerHead(HttpResponse response) {
        Exchange of = exchange;
        if (of == null) {
            return;
        }
        if (response.status().codeClass() != HttpStatusClass.INFORMATIONAL) {
            of.answerOf(
                    HttpUtil.getContentLength(response, -1L), response.status().codeClass() == HttpStatusClass.SUCCESS);
            if (of.trapAt(Trap.Moment.STORED)) {
                hold(of);
                return;
            }
        }
        client.write(response);
    }

    private void answerBody(HttpContent content) {
        Exchange of = exchange;
        if (of == null || held) {
            content.release();
            return;
        }
        if (!of.answerBegun) { // of a 100 Continue
            client.writeAndFlush(content);
            return;
        }
        int bytes = content.content().readableBytes();
        of.down(bytes);
        route.traffic().down(bytes);
        route.down().takeNanos(bytes);
        if (bytes > 0 && of.answerOk && of.halfDown()) {
            if (of.fault instanceof Fault.Truncated || of.resetAt(Fault.Reset.Where.ANSWER_BODY)) {
                halfThenClose(of, content);
                return;
            }
            if (of.fault instanceof Fault.AnswerCorrupted && of.corruptNow()) {
                Bodies.flip(content.content());
            }
        }
        boolean last = content instanceof LastHttpContent;
        client.writeAndFlush(content).addListener(written -> {
            if (last && written.isSuccess()) {
                ended(of);
            }
        });
    }

    private void halfThenClose(Exchange of, HttpContent content) {
        client.writeAndFlush(Bodies.half(content)).addListener(written -> {
            if (of.fault instanceof Fault.Truncated) {
                client.close();
            } else {
                reset();
            }
        });
    }

    private void answerInstead(Exchange of, Fault.Answer answer) {
        client.writeAndFlush(Bodies.errorAnswer(answer, of.head)).addListener(written -> ended(of));
    }

    private void ended(Exchange of) {
        if (exchange != of) {
            return;
        }
        if (of.trapAt(Trap.Moment.ANSWERED)) {
            hold(of);
            return;
        }
        exchange = null;
        if (of.keepAlive && of.requestEnded) {
            readClient();
        } else {
            client.close();
        }
    }

    /** Also between exchanges: to hear of a store that hangs up. */
    private void readStore() {
        Channel open = store;
        if (!held && open != null && client.isWritable()) {
            Exchange of = exchange;
            after(route.down(), open, of == null ? 0 : of.answerDueNanos - System.nanoTime());
        }
    }

    // ---- both

    /** One read, when the link has had the time for what was read before. */
    private void after(Link link, Channel channel, long atLeastNanos) {
        long waitNanos = Math.max(atLeastNanos, link.takeNanos(0));
        if (waitNanos <= 0) {
            channel.read();
        } else {
            client.eventLoop().schedule(() -> readUnlessHeld(channel), waitNanos, TimeUnit.NANOSECONDS);
        }
    }

    private void readUnlessHeld(Channel channel) {
        if (!held) {
            channel.read();
        }
    }

    private void hold(Exchange of) {
        held = true;
        Trap trap = of.trap;
        if (trap != null) {
            trap.spring(client.remoteAddress().getPort());
        }
    }

    private void reset() {
        abort(client);
        drop();
    }

    private void drop() {
        exchange = null;
        for (Object message = toStore.poll(); message != null; message = toStore.poll()) {
            ReferenceCountUtil.release(message);
        }
        closeStore();
    }

    private void closeStore() {
        Channel open = store;
        if (open != null) {
            store = null;
            abort(open);
        }
    }

    /** With a reset, unless it is closed already. */
    static void abort(Channel channel) {
        try {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
        } catch (ChannelException closed) {
            return;
        }
        channel.close();
    }
}
