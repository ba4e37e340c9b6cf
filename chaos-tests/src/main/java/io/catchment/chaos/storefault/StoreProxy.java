package io.catchment.chaos.storefault;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a node and an S3 server. Passes requests on byte for byte, Host header included (it is signed), unless {@link #faults} says
 * otherwise. Memory is bounded: a connection reads on when what it read before has been taken, 64 KiB at a time. Switched by the thread that
 * runs a scenario.
 */
public final class StoreProxy implements AutoCloseable {
    static final int READ_BYTES = 64 << 10;

    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(
            2, new DefaultThreadFactory("store-proxy", true), NioIoHandler.newFactory());
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Route route;
    private final int port;
    private @Nullable Channel listening;

    /** What all connections share. */
    record Route(InetSocketAddress target, FaultBoard faults, Traffic traffic, Link up, Link down) {}

    private StoreProxy(int port, InetSocketAddress target, long seed) throws IOException {
        this.route = new Route(target, new FaultBoard(seed), new Traffic(), new Link(), new Link());
        try {
            listening = listen(port);
        } catch (IOException failed) {
            loops.shutdownGracefully(0, 0, TimeUnit.SECONDS).awaitUninterruptibly(1, TimeUnit.SECONDS);
            throw failed;
        }
        this.port = ((InetSocketAddress) listening.localAddress()).getPort();
    }

    /**
     * Listens on the loopback address.
     *
     * @param port 0: any free one
     * @param target the S3 server; it need not run yet
     * @param seed of the faults' dice
     */
    public static StoreProxy start(int port, InetSocketAddress target, long seed) throws IOException {
        return new StoreProxy(port, target, seed);
    }

    public int port() {
        return port;
    }

    public FaultBoard faults() {
        return route.faults;
    }

    public Traffic traffic() {
        return route.traffic;
    }

    /** Bytes per second in each direction, over all connections; 0: as fast as it goes. */
    public void limitBandwidth(long bytesPerSecond) {
        route.up.limit(bytesPerSecond);
        route.down.limit(bytesPerSecond);
    }

    /** Connections are refused, those that are open are reset. */
    public void goAway() {
        Channel open = listening;
        if (open != null) {
            open.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
            listening = null;
        }
        resetAll();
    }

    /** After {@link #goAway}. */
    public void comeBack() throws IOException {
        if (listening == null) {
            listening = listen(port);
        }
    }

    /** Resets every open connection, those that a trap holds included. */
    public void resetAll() {
        connections.forEach(ProxyConnection::abort);
        connections.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
    }

    public int openConnections() {
        return connections.size();
    }

    private Channel listen(int onPort) throws IOException {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(READ_BYTES))
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        connections.add(channel);
                        new ProxyConnection(channel, route).install();
                    }
                });
        try {
            return bootstrap
                    .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), onPort))
                    .syncUninterruptibly()
                    .channel();
        } catch (Exception failed) { // netty rethrows the checked cause
            throw new IOException("cannot listen on port " + onPort + ": " + failed.getMessage(), failed);
        }
    }

    @Override
    public void close() {
        goAway();
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }
}
