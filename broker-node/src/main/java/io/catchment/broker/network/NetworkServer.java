package io.catchment.broker.network;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.network.ListenerName;

/**
 * The listening side of a node: bound listeners and the connections that came in by them. Thread-safe: what it holds is
 * immutable or owned by event loops; opening and closing are for the one thread that starts and stops the node.
 */
public final class NetworkServer implements AutoCloseable {
    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(256 * 1024, 1024 * 1024);
    private static final int BACKLOG = 1024;

    private final EventLoops loops;
    private final ServerShared shared;
    private final ByteBufAllocator allocator;
    private final Map<EventLoop, LoopConnections> connections = new HashMap<>();
    private final List<BoundListener> listeners = new ArrayList<>();

    public NetworkServer(EventLoops loops, NetworkLimits limits, NetworkObserver observer) {
        this(loops, limits, observer, NetworkQuotas.NONE);
    }

    public NetworkServer(EventLoops loops, NetworkLimits limits, NetworkObserver observer, NetworkQuotas quotas) {
        this(loops, limits, observer, quotas, PooledByteBufAllocator.DEFAULT);
    }

    NetworkServer(
            EventLoops loops,
            NetworkLimits limits,
            NetworkObserver observer,
            NetworkQuotas quotas,
            ByteBufAllocator allocator) {
        this.loops = loops;
        this.shared = new ServerShared(limits, observer, quotas);
        this.allocator = allocator;
        for (EventLoop loop : loops.all()) {
            LoopConnections ofLoop = new LoopConnections(loop);
            connections.put(loop, ofLoop);
            ofLoop.start(limits);
        }
    }

    /**
     * Binds a listener; port 0 chooses a free one. Connections wait in the kernel's backlog until the listener is started, so
     * the port can be advertised before the node is ready to answer.
     */
    public BoundListener bind(String name, InetSocketAddress address) throws IOException {
        BoundListener.Connector connector = new BoundListener.Connector();
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops.group())
                .channel(loops.serverChannel())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.ALLOCATOR, allocator)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
                // A large answer leaves in many turns of the loop, and others have theirs in between
                .childOption(ChannelOption.WRITE_SPIN_COUNT, 1)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accepted(name, connector, channel);
                    }
                });
        Channel channel;
        try {
            channel = bootstrap.bind(address).syncUninterruptibly().channel();
        } catch (RuntimeException e) {
            throw new IOException("cannot listen on " + address + " for listener " + name + ": " + e.getMessage(), e);
        } catch (Exception e) { // netty rethrows the checked cause
            throw new IOException("cannot listen on " + address + " for listener " + name + ": " + e.getMessage(), e);
        }
        BoundListener listener = new BoundListener(name, channel, connector);
        listeners.add(listener);
        return listener;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // nothing to do once it is closed
    private void accepted(String listener, BoundListener.Connector connector, SocketChannel channel) {
        if (shared.connections.incrementAndGet() > shared.limits.connectionsMax()) {
            shared.connections.decrementAndGet();
            shared.log.closing(
                    channel, CloseReason.REFUSED, "max.connections = " + shared.limits.connectionsMax() + " are open");
            shared.observer.connectionClosed(listener, CloseReason.REFUSED);
            channel.close();
            return;
        }
        int delayMs = shared.quotas.connectionDelayMs(channel.remoteAddress().getAddress());
        if (delayMs > 0) {
            turnAway(listener, channel, delayMs);
            return;
        }
        shared.observer.connectionOpened(listener);
        channel.closeFuture().addListener(done -> {
            shared.connections.decrementAndGet();
            FrameReceiver frames = channel.pipeline().get(FrameReceiver.class);
            shared.observer.connectionClosed(listener, frames == null ? CloseReason.ERROR : frames.closeReason());
        });
        // from here on a failure closes the channel, and the connection is not counted for ever
        FrameSink sink = connector.connect(new ListenerName(listener), shared, channel);
        FrameReceiver receiver =
                new FrameReceiver(sink, shared.limits.requestBytesMax(), shared.requestMemory, shared.log);
        LoopConnections ofLoop = connections.get(channel.eventLoop());
        if (ofLoop == null) {
            throw new IllegalStateException("connection on a loop that is not ours");
        }
        Liveness liveness = new Liveness(receiver, sink, shared, System.nanoTime());
        channel.config().setRecvByteBufAllocator(new FrameRecvAllocator(receiver));
        channel.pipeline().addLast(receiver);
        ofLoop.add(liveness);
        channel.closeFuture().addListener(done -> ofLoop.remove(liveness));
    }

    /** Later, and not read until then: a client that tries again at once is slowed down by that, as in Kafka (KIP-612). */
    @SuppressWarnings("FutureReturnValueIgnored") // nothing to do once it is closed
    private void turnAway(String listener, SocketChannel channel, int delayMs) {
        channel.config().setAutoRead(false);
        channel.closeFuture().addListener(done -> {
            shared.connections.decrementAndGet();
            shared.observer.connectionClosed(listener, CloseReason.THROTTLED);
        });
        shared.log.closing(
                channel,
                CloseReason.THROTTLED,
                "connection_creation_rate of its address is exceeded, in " + delayMs + " ms");
        channel.eventLoop().schedule((Runnable) channel::close, delayMs, TimeUnit.MILLISECONDS);
    }

    /**
     * Answers may hold memory that others wait for: while {@code waiting} says so, an answer that stands still unread loses its
     * connection. Asked on event loops: must be quick and thread-safe.
     */
    public void answersHoldMemory(BooleanSupplier waiting) {
        shared.answersWanted = waiting;
    }

    public int openConnections() {
        return shared.connections.get();
    }

    /** Frames in memory that wait for their answers, over all connections. */
    public long requestBytesInFlight() {
        return shared.requestMemory.usedBytes();
    }

    /** Connections whose next request waits for memory. */
    public int requestsWaitingForMemory() {
        return shared.requestMemory.waiting();
    }

    /** Large answers that sockets have not taken yet. */
    public long responseBytesUnsent() {
        return shared.unsent.bytes();
    }

    /** Stops listening and ends all connections. Handlers may still answer afterwards; the answers are dropped. */
    @Override
    public void close() {
        for (BoundListener listener : listeners) {
            listener.close();
        }
        List<Future<?>> closing = new ArrayList<>();
        connections.forEach((loop, ofLoop) -> {
            if (!loop.isShuttingDown()) {
                closing.add(loop.submit(ofLoop::closeAll));
            }
        });
        for (Future<?> loopDone : closing) {
            loopDone.awaitUninterruptibly(5, TimeUnit.SECONDS);
        }
    }
}
