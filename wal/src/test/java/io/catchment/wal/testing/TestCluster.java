package io.catchment.wal.testing;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.WalListener;
import io.catchment.wal.link.ChannelSecurity;
import io.catchment.wal.link.NettyNetwork;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.node.WalPeers;
import io.catchment.wal.remote.RemoteConfig;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/** Real WALs of several nodes in one process, over real sockets on free ports, with one control plane in memory. */
public final class TestCluster implements AutoCloseable {
    public static final String CLUSTER = "test-cluster";

    public final SharedRegistry registry;
    private final Path dir;
    private final UnaryOperator<WalConfig> configure;
    private final RemoteConfig remote;
    private final Map<Integer, InetSocketAddress> addresses = new ConcurrentHashMap<>();
    private final Map<Integer, Node> nodes = new TreeMap<>();

    public TestCluster(Path dir, int replicas, int ackQuorum, UnaryOperator<WalConfig> configure) {
        this(dir, replicas, ackQuorum, RemoteConfig.defaults(CLUSTER), configure);
    }

    public TestCluster(Path dir, int replicas, int ackQuorum, RemoteConfig remote, UnaryOperator<WalConfig> configure) {
        this.dir = dir;
        this.registry = new SharedRegistry(replicas, ackQuorum);
        this.remote = remote;
        this.configure = configure;
    }

    /** One node while it runs. */
    public static final class Node {
        public final int id;
        public final LocalWal wal;
        public final RecordingListener listener;
        public final NettyNetwork network;

        Node(int id, LocalWal wal, RecordingListener listener, NettyNetwork network) {
            this.id = id;
            this.wal = wal;
            this.listener = listener;
            this.network = network;
        }

        public StoreRef store() {
            return wal.localStore();
        }
    }

    public Node start(int id) throws IOException {
        RecordingListener listener = new RecordingListener();
        return start(id, listener, listener);
    }

    /** With a listener that keeps nothing, for a long run. */
    public Node start(int id, WalListener listener) throws IOException {
        return start(id, listener, new RecordingListener());
    }

    private Node start(int id, WalListener listener, RecordingListener recording) throws IOException {
        NettyNetwork network = new NettyNetwork(
                1,
                node -> Optional.ofNullable(addresses.get(node)),
                ChannelSecurity.NONE,
                PooledByteBufAllocator.DEFAULT);
        Registered registered = new Registered();
        WalConfig config =
                configure.apply(WalConfig.defaults(dir.resolve("node-" + id)).withReserveBytes(0));
        LocalWal wal = LocalWal.open(config, id, registered, listener, new WalPeers(remote, network));
        addresses.put(id, network.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), wal::accept));
        registered.registry = registry.register(wal.localStore());
        Node node = new Node(id, wal, recording, network);
        nodes.put(id, node);
        return node;
    }

    public Node node(int id) {
        return nodes.get(id);
    }

    public InetSocketAddress address(int id) {
        return addresses.get(id);
    }

    /** Ends a node without a word, as far as that is possible within one process. */
    public void kill(int id) {
        Node node = nodes.remove(id);
        addresses.remove(id);
        node.network.close();
        node.wal.close();
    }

    @Override
    public void close() {
        List.copyOf(nodes.keySet()).forEach(this::kill);
    }

    /** The registry's client exists only once the store id is known. */
    private static final class Registered implements ExtentRegistry {
        private volatile ExtentRegistry registry;

        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane) {
            return registry.create(lane);
        }

        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane, Set<StoreRef> avoid) {
            return registry.create(lane, avoid);
        }

        @Override
        public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders) {
            return registry.seal(extentId, length, holders);
        }

        @Override
        public CompletionStage<Long> startRecovery(long extentId) {
            return registry.startRecovery(extentId);
        }

        @Override
        public CompletionStage<List<StoreRef>> standIns(ExtentDescriptor extent) {
            return registry.standIns(extent);
        }
    }
}
