package io.catchment.broker.network;

import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The node's event loops, shared by connections and partitions. Immutable; closed once by whoever created it, after everything
 * that runs on it has stopped. Native epoll where the platform has it, NIO elsewhere.
 */
public final class EventLoops implements AutoCloseable {
    private static final int DEFAULT_LOOPS_MAX = 4;

    private final MultiThreadIoEventLoopGroup group;
    private final Class<? extends ServerChannel> serverChannel;
    private final List<EventLoop> loops;

    private EventLoops(MultiThreadIoEventLoopGroup group, Class<? extends ServerChannel> serverChannel) {
        this.group = group;
        this.serverChannel = serverChannel;
        List<EventLoop> all = new ArrayList<>();
        for (EventExecutor executor : group) {
            all.add((EventLoop) executor);
        }
        this.loops = List.copyOf(all);
    }

    /** As many loops as asked for; 0 means one per core, at most four. */
    public static EventLoops create(int threads) {
        return create(threads, Epoll.isAvailable());
    }

    static EventLoops create(int threads, boolean nativeTransport) {
        if (threads < 0) {
            throw new IllegalArgumentException("threads is " + threads + ", want 0 (choose) or more");
        }
        int count = threads > 0 ? threads : Math.min(Runtime.getRuntime().availableProcessors(), DEFAULT_LOOPS_MAX);
        IoHandlerFactory io = nativeTransport ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        return new EventLoops(
                new MultiThreadIoEventLoopGroup(count, new DefaultThreadFactory("catchment-loop", true), io),
                nativeTransport ? EpollServerSocketChannel.class : NioServerSocketChannel.class);
    }

    public int size() {
        return loops.size();
    }

    public List<EventLoop> all() {
        return loops;
    }

    /** The same loop for the same key, for as long as the process lives: what is owned by a loop is found by its id. */
    public EventLoop forKey(long key) {
        return loops.get(Math.floorMod(Long.hashCode(key * 0x9E3779B97F4A7C15L), loops.size()));
    }

    public MultiThreadIoEventLoopGroup group() {
        return group;
    }

    public Class<? extends ServerChannel> serverChannel() {
        return serverChannel;
    }

    public boolean nativeTransport() {
        return serverChannel == EpollServerSocketChannel.class;
    }

    /** Stops the loops after the tasks they already have. Waits at most five seconds. */
    @Override
    public void close() {
        group.shutdownGracefully(0, 4, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }
}
