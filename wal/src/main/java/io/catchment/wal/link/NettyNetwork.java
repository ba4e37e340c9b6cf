package io.catchment.wal.link;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntFunction;

/** TCP connections between nodes, on event loops of its own. Thread-safe. */
public final class NettyNetwork implements Network {
    /** What a peer may send before it said who it is. */
    private static final int STRANGER_BYTES_MAX = 4 << 10;

    /** Who has not said by then who it is loses its connection: it holds a descriptor. */
    private static final int STRANGER_MS_MAX = 5_000;

    private static final int RECEIVE_BYTES_MAX = 256 << 10;
    private static final int CONNECT_TIMEOUT_MS = 1_000;

    private final IntFunction<Optional<InetSocketAddress>> addresses;
    private final ChannelSecurity security;
    private final ByteBufAllocator allocator;
    private final EventLoopGroup loops;
    private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);

    /** @param addresses where a node's WAL listens, as far as it is known; resolved, a look-up would block */
    public NettyNetwork(
            int threads,
            IntFunction<Optional<InetSocketAddress>> addresses,
            ChannelSecurity security,
            ByteBufAllocator allocator) {
        this.addresses = addresses;
        this.security = security;
        this.allocator = allocator;
        this.loops = new MultiThreadIoEventLoopGroup(
                threads, new DefaultThreadFactory("wal-net", true), NioIoHandler.newFactory());
    }

    /** Listens and answers the address that was bound. Blocks for a moment; fails if the address is taken. */
    public InetSocketAddress listen(InetSocketAddress address, Function<Link, LinkHandler> acceptor)
            throws IOException {
        ChannelFuture bound = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.ALLOCATOR, allocator)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, receiveBuffers())
                .childHandler(initializer(acceptor, false))
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("cannot listen on " + address, bound.cause());
        }
        channels.add(bound.channel());
        return (InetSocketAddress) bound.channel().localAddress();
    }

    /** Takes over a connection that another listener accepted, from its first byte on. */
    public void adopt(Channel channel, Function<Link, LinkHandler> acceptor) {
        channels.add(channel);
        endOfStranger(channel, link(channel, acceptor));
    }

    @Override
    public CompletionStage<Link> connect(int nodeId, LinkHandler handler) {
        Optional<InetSocketAddress> address = addresses.apply(nodeId);
        if (address.isEmpty()) {
            return CompletableFuture.failedStage(new IOException("node " + nodeId + " has no known WAL address"));
        }
        CompletableFuture<Link> connected = new CompletableFuture<>();
        ChannelFuture attempt = new Bootstrap()
                .group(loops)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS)
                .option(ChannelOption.ALLOCATOR, allocator)
                .option(ChannelOption.RECVBUF_ALLOCATOR, receiveBuffers())
                .handler(initializer(link -> handler, true))
                .connect(address.get());
        attempt.addListener(done -> {
            NettyLink link = attempt.channel().pipeline().get(NettyLink.class);
            if (done.isSuccess() && link != null) {
                connected.complete(link);
            } else {
                connected.completeExceptionally(new IOException(
                        "cannot connect to node " + nodeId + " at " + address.get() + ": " + done.cause()));
            }
        });
        return connected;
    }

    private static AdaptiveRecvByteBufAllocator receiveBuffers() {
        return new AdaptiveRecvByteBufAllocator(2048, 16 << 10, RECEIVE_BYTES_MAX);
    }

    private ChannelInitializer<Channel> initializer(Function<Link, LinkHandler> handlers, boolean client) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channels.add(channel);
                security.secure(channel.pipeline(), client);
                MessageFramer framer = link(channel, handlers);
                if (!client) {
                    endOfStranger(channel, framer);
                }
            }
        };
    }

    private static MessageFramer link(Channel channel, Function<Link, LinkHandler> handlers) {
        MessageFramer framer = new MessageFramer(STRANGER_BYTES_MAX);
        channel.pipeline().addLast(framer, new NettyLink(channel, framer, handlers));
        return framer;
    }

    private static void endOfStranger(Channel channel, MessageFramer framer) {
        var deadline = channel.eventLoop()
                .schedule(
                        () -> {
                            if (framer.bytesMax() == STRANGER_BYTES_MAX) {
                                var unused = channel.close();
                            }
                        },
                        STRANGER_MS_MAX,
                        TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> deadline.cancel(false));
    }

    @Override
    public void close() {
        channels.close().awaitUninterruptibly(1_000);
        loops.shutdownGracefully(0, 500, TimeUnit.MILLISECONDS).awaitUninterruptibly(2_000);
    }
}
