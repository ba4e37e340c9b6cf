package io.catchment.broker.node;

import io.catchment.broker.config.Listener;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.flush.ObjectUploader;
import io.catchment.broker.network.BoundListener;
import io.catchment.broker.network.EventLoops;
import io.catchment.broker.network.NetworkServer;
import io.catchment.broker.observe.BucketMeters;
import io.catchment.broker.observe.CompactionMeters;
import io.catchment.broker.observe.FlushMeters;
import io.catchment.broker.observe.HttpServer;
import io.catchment.broker.observe.ManifestMeters;
import io.catchment.broker.observe.MergeMeters;
import io.catchment.broker.observe.NearMeters;
import io.catchment.broker.observe.NodeMetrics;
import io.catchment.broker.observe.NodeRoutes;
import io.catchment.broker.observe.QuotaMeters;
import io.catchment.broker.observe.Readiness;
import io.catchment.broker.quota.ClientQuotas;
import io.catchment.broker.quota.QuotaFeed;
import io.catchment.broker.read.LoopDelay;
import io.catchment.broker.read.ReadBudgets;
import io.catchment.broker.snapshot.StateSnapshots;
import io.catchment.broker.telemetry.ClientTelemetry;
import io.catchment.broker.telemetry.PushedMetrics;
import io.catchment.broker.verify.VerifyRoutes;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.server.ControlPlaneServer;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ReadClass;
import io.catchment.objectstore.cache.CachedObjectReader;
import io.catchment.objectstore.cache.ReaderSettings;
import io.catchment.objectstore.open.ObjectStores;
import io.catchment.objectstore.retry.RetryPolicy;
import io.catchment.objectstore.transfer.ObjectTransfers;
import io.catchment.objectstore.transfer.TransferClass;
import io.catchment.objectstore.transfer.TransferScheduler;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node, wired and run: what lasts as long as the process, and in it one {@link NodeEpoch} after the other. Started once, by one
 * thread; closed once, by any.
 */
final class Node implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Node.class);
    private static final int SEARCH_THREADS = 2;
    private static final long READ_BUDGET_BYTES_MIN = 32L << 20;

    private final NodeConfig config;
    private final Consumer<Throwable> fatal;
    private final Closers closers = new Closers();

    /** @param fatal what to do when this node must not go on */
    Node(NodeConfig config, Consumer<Throwable> fatal) {
        this.config = config;
        this.fatal = fatal;
    }

    void start() throws Exception {
        long started = System.nanoTime();
        EventLoops loops = closers.add("event loops", EventLoops.create(config.eventLoops()));
        NodeMetrics metrics = closers.add("metrics", new NodeMetrics());
        Readiness readiness = new Readiness();
        Readiness.Condition serving = readiness.condition("serving", "starting");
        LaneReadiness lanes = new LaneReadiness(readiness);
        HttpServer http = closers.add(
                "http",
                HttpServer.open(new InetSocketAddress(
                        config.http().host(), config.http().port())));
        NodeRoutes.add(http, metrics, readiness, loops.all());
        ClientQuotas quotas = closers.add(
                "quotas", new ClientQuotas(config.quotas(), Time.SYSTEM, new QuotaMeters(metrics.registry())));
        NetworkServer network =
                closers.add("network", new NetworkServer(loops, config.network(), metrics.requests(), quotas));
        metrics.observeNetwork(network);
        ScheduledExecutorService timer = timer();

        String clusterId = ClusterId.of(config);
        // Its own connections and memory: clients cannot shut the controllers out, and at a stop these go on until the
        // last.
        NetworkServer controlNetwork =
                closers.add("control network", new NetworkServer(loops, config.network(), metrics.requests()));
        ControlPlane controlPlane = controlPlane(controlNetwork, clusterId);
        TransferScheduler scheduler = ObjectStores.scheduler(config.store().transfers(), timer, metrics.transfers());
        metrics.transfers().observe(scheduler);
        ObjectStore store = closers.add(
                "object store",
                ObjectStores.open(
                        config.store().uri(),
                        config.store().settings(),
                        RetryPolicy.DEFAULT,
                        timer,
                        metrics.store(),
                        scheduler));
        Bucket bucket =
                closers.add("bucket owner", Bucket.open(store, clusterId, controlPlane, config.store(), readiness));
        // Whose the bucket is must be known when a transfer begins, not when it begins to wait for its turn
        ObjectTransfers transfers = closers.add("transfers", new ObjectTransfers(bucket.store(), scheduler));
        StateSnapshots snapshots = closers.add(
                "state snapshots",
                bucket.snapshots(transfers.of(TransferClass.BACKGROUND), controlPlane, config.nodeId()));
        BucketMeters.register(metrics.registry(), bucket.owner(), snapshots);
        List<BoundListener> clientListeners = new ArrayList<>();
        for (Listener listener : config.listeners().clients()) {
            clientListeners.add(network.bind(listener.name(), address(listener)));
        }
        metrics.observeCatalog(controlPlane::image);
        LoopDelay catchUpRoom = new LoopDelay(loops.all(), System::nanoTime);
        CachedObjectReader objects = closers.add(
                "object reader",
                new CachedObjectReader(
                        as -> transfers.of(transferClass(as)),
                        ReaderSettings.ofCacheBytes(config.reads().blockCacheBytes()),
                        PooledByteBufAllocator.DEFAULT,
                        timer,
                        catchUpRoom));
        metrics.observeBlockCache(objects::stats);
        metrics.observeCatchUpRoom(catchUpRoom);
        ReadBudgets readBudgets = ReadBudgets.ofBytes(readBudgetBytes());
        metrics.observeReadMemory(readBudgets);
        network.answersHoldMemory(() -> readBudgets.waiting() > 0);

        ExecutorService lookups = threads("lookup", 1);
        controlPlane.subscribe(new QuotaFeed(quotas, lookups));
        PushedMetrics pushed = new PushedMetrics(System::nanoTime);
        metrics.alsoScrape(pushed::scrape);
        ClientTelemetry telemetry = closers.add("client telemetry", new ClientTelemetry(pushed, Time.SYSTEM));
        controlPlane.subscribe(telemetry);
        NodeParts parts = new NodeParts(
                config,
                clusterId,
                loops,
                metrics,
                new FlushMeters(metrics.registry()),
                new MergeMeters(metrics.registry()),
                new CompactionMeters(metrics.registry()),
                new ManifestMeters(metrics.registry()),
                new NearMeters(metrics.registry()),
                serving,
                lanes,
                controlPlane,
                clientListeners,
                new ClientAccess(clientListeners),
                quotas,
                telemetry,
                transfers,
                bucket.horizon(),
                new ObjectUploader(
                        controlPlane,
                        transfers.of(TransferClass.BACKGROUND),
                        bucket.horizon(),
                        config.store().uploadLimitMs(),
                        System::nanoTime),
                objects,
                readBudgets,
                threads("search", SEARCH_THREADS),
                lookups,
                timer);
        NodeEpochs epochs = new NodeEpochs(parts, fatal);
        closers.add("epoch", epochs);
        epochs.observe();
        ClusterRoutes.add(http, config.nodeId(), controlPlane, epochs);
        VerifyRoutes.add(http, controlPlane, parts.store(), parts.searches());
        Optional<String> obstacle = otherHistory(bucket);
        if (obstacle.isPresent()) {
            log.error("This node serves nothing, and leaves its WAL as it is: {}", obstacle.get());
            serving.unmet(obstacle.get());
            return;
        }
        snapshots.start();
        epochs.begin();
        closers.add("clients", network);
        closers.add("leave of the others", epochs::takeLeave);
        log.info(
                "Ready with {} partitions after {} ms, clients connect to {}",
                epochs.openPartitions(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started),
                clientListeners.stream().map(BoundListener::address).toList());
    }

    @Override
    public void close() {
        closers.close();
    }

    /** Why what is in the object store, or in the WAL, is not what this cluster's state tells of. */
    private Optional<String> otherHistory(Bucket bucket) throws IOException, InterruptedException {
        Uuid historyId = bucket.awaitFirstLook();
        Optional<String> other = bucket.owner().otherHistory();
        return other.isPresent() ? other : WalHistory.claim(config.walDirectory(), historyId);
    }

    /** A node that only observes asks the controllers; nobody asks it. */
    private ControlPlane controlPlane(NetworkServer network, String clusterId) throws IOException {
        Optional<BoundListener> bound = Optional.empty();
        if (config.listeners().controller().isPresent()) {
            Listener listener = config.listeners().controller().get();
            bound = Optional.of(network.bind(listener.name(), address(listener)));
        }
        int port = bound.map(BoundListener::port).orElse(0);
        ControlPlaneServer server = closers.add(
                "control plane",
                ControlPlaneServer.start(ControlPlaneSettings.of(config, clusterId, port), Time.SYSTEM, fatal));
        InetAddress unknown = InetAddress.getLoopbackAddress();
        bound.ifPresent(
                listening -> listening.startRaw(frame -> server.endpoint().handle(frame, unknown)));
        return server.controlPlane();
    }

    private static TransferClass transferClass(ReadClass as) {
        return switch (as) {
            case TAIL -> TransferClass.TAIL_READ;
            case CATCH_UP -> TransferClass.CATCH_UP_READ;
        };
    }

    /** Reads from extents are not in the block cache: half as much again for them. */
    private long readBudgetBytes() {
        return Math.max(READ_BUDGET_BYTES_MIN, config.reads().blockCacheBytes() / 2);
    }

    private ExecutorService threads(String name, int count) {
        AtomicInteger number = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(count, task -> {
            Thread thread = new Thread(task, name + "-" + number.getAndIncrement());
            thread.setDaemon(true);
            return thread;
        });
        closers.add(name, threads::shutdownNow);
        return threads;
    }

    private ScheduledExecutorService timer() {
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "timer");
            thread.setDaemon(true);
            return thread;
        });
        closers.add("timer", timer::shutdownNow);
        return timer;
    }

    private static InetSocketAddress address(Listener listener) {
        return listener.host().isEmpty()
                ? new InetSocketAddress(listener.port())
                : new InetSocketAddress(listener.host(), listener.port());
    }
}
