package io.catchment.broker.node;

import io.catchment.broker.config.Listener;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.loop.SerialThread;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.Endpoint;
import io.catchment.wal.link.ChannelSecurity;
import io.catchment.wal.link.NettyNetwork;
import io.catchment.wal.node.LocalWal;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Replication traffic between the nodes, in one epoch of this one: it ends with the epoch, so that no connection leads to a store that
 * is closed. For the thread that begins and ends epochs.
 */
final class WalNetwork implements AutoCloseable {
    private static final int THREADS = 2;
    private static final long LOOK_UP_AGAIN_MS = 2_000;

    private final NodeConfig config;
    private final Listener listener;
    private final Listener told;
    private final PeerAddresses addresses;
    private final NettyNetwork network;
    private final AtomicBoolean lookingUp = new AtomicBoolean();
    /** Of the watch alone: a thread that may wait for a name server would find a dead node when that answers. */
    private final SerialThread watching = new SerialThread("peer-watch");

    private @Nullable PeerWatch watch;
    private @Nullable ScheduledFuture<?> lookingUpAgain;
    private int port;

    private WalNetwork(NodeConfig config, Listener listener, Listener told, PeerAddresses addresses) {
        this.config = config;
        this.listener = listener;
        this.told = told;
        this.addresses = addresses;
        this.network = new NettyNetwork(THREADS, addresses::of, ChannelSecurity.NONE, PooledByteBufAllocator.DEFAULT);
    }

    /** Empty when this node is alone. */
    static Optional<WalNetwork> open(NodeConfig config, ControlPlane controlPlane, Executor lookups) {
        return config.listeners().wal().map(listener -> {
            PeerAddresses addresses =
                    new PeerAddresses(listener.name(), lookups, InetSocketAddress::new, System::nanoTime);
            addresses.follow(controlPlane);
            Listener told = config.listeners().walTold().orElse(listener);
            return new WalNetwork(config, listener, told, addresses);
        });
    }

    NettyNetwork network() {
        return network;
    }

    /** Lets other nodes reach this one's store. */
    void listen(LocalWal wal) throws IOException {
        InetSocketAddress address = listener.host().isEmpty()
                ? new InetSocketAddress(listener.port())
                : new InetSocketAddress(listener.host(), listener.port());
        port = network.listen(address, wal::accept).getPort();
    }

    Endpoint endpoint() {
        return new Endpoint(told.name(), told.host(), told.port() == 0 ? port : told.port());
    }

    /** @param lookups where waiting for a name server harms nobody */
    void watch(ScheduledExecutorService timer, Executor lookups) {
        PeerWatch made =
                new PeerWatch(config.nodeId(), addresses::nodes, network, System::nanoTime, timer, watching::execute);
        watch = made;
        lookingUpAgain = timer.scheduleWithFixedDelay(
                () -> lookUpAgain(made, lookups), LOOK_UP_AGAIN_MS, LOOK_UP_AGAIN_MS, TimeUnit.MILLISECONDS);
    }

    /** One at a time: a name server may be slower than this. */
    private void lookUpAgain(PeerWatch made, Executor lookups) {
        if (lookingUp.compareAndSet(false, true)) {
            lookups.execute(() -> {
                try {
                    addresses.lookUpAgain(made.unreachableMs().keySet());
                } finally {
                    lookingUp.set(false);
                }
            });
        }
    }

    Map<Integer, Long> unreachableMs() {
        PeerWatch present = watch;
        return present == null ? Map.of() : present.unreachableMs();
    }

    @Override
    public void close() {
        if (lookingUpAgain != null) {
            lookingUpAgain.cancel(false);
        }
        if (watch != null) {
            watch.close();
        }
        watching.close();
        network.close();
    }
}
