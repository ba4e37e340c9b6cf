package io.catchment.broker.observe;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The node's HTTP port. It has one thread of its own, so that it answers when the event loops do not, and so that a scrape
 * delays no request. Thread-safe.
 */
public final class HttpServer implements AutoCloseable {
    private static final int BODY_BYTES_MAX = 1 << 20;
    private static final int CONNECTIONS_MAX = 256;
    private static final int IDLE_SECONDS = 60;

    private final MultiThreadIoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("catchment-http", true), NioIoHandler.newFactory());
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Map<String, HttpRoute> routes = new ConcurrentHashMap<>();
    private final Channel listening;

    private HttpServer(InetSocketAddress address) throws IOException {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.AUTO_READ, false)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accepted(channel);
                    }
                });
        try {
            listening = bootstrap.bind(address).syncUninterruptibly().channel();
        } catch (Exception e) { // netty rethrows the checked cause
            loop.shutdownGracefully(0, 0, TimeUnit.SECONDS).awaitUninterruptibly(1, TimeUnit.SECONDS);
            throw new IOException("cannot listen on " + address + " for HTTP: " + e.getMessage(), e);
        }
    }

    /** Listens; port 0 chooses a free one. */
    public static HttpServer open(InetSocketAddress address) throws IOException {
        return new HttpServer(address);
    }

    public int port() {
        return ((InetSocketAddress) listening.localAddress()).getPort();
    }

    /** Serves a path, and everything below it if it ends with a slash. */
    public HttpServer route(String path, HttpRoute route) {
        if (routes.putIfAbsent(path, route) != null) {
            throw new IllegalArgumentException("there is already a route " + path);
        }
        return this;
    }

    /** The route of the path itself, else of the longest path with a slash above it. */
    @Nullable
    HttpRoute find(String path) {
        HttpRoute exact = routes.get(path);
        for (int slash = path.lastIndexOf('/'); exact == null && slash >= 0; slash = path.lastIndexOf('/', slash - 1)) {
            exact = routes.get(path.substring(0, slash + 1));
        }
        return exact;
    }

    Set<String> paths() {
        return new TreeSet<>(routes.keySet());
    }

    @SuppressWarnings("FutureReturnValueIgnored") // nothing to do once it is closed
    private void accepted(SocketChannel channel) {
        if (connections.size() >= CONNECTIONS_MAX) {
            channel.close();
            return;
        }
        connections.add(channel);
        channel.pipeline()
                .addLast(new IdleStateHandler(0, 0, IDLE_SECONDS))
                .addLast(new HttpServerCodec())
                .addLast(new HttpObjectAggregator(BODY_BYTES_MAX))
                // requests that came together are handed on one by one, as the connection asks for them
                .addLast(new FlowControlHandler())
                .addLast(new HttpConnection(this));
    }

    @Override
    public void close() {
        listening.close().awaitUninterruptibly(2, TimeUnit.SECONDS);
        connections.close().awaitUninterruptibly(2, TimeUnit.SECONDS);
        loop.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
    }
}
