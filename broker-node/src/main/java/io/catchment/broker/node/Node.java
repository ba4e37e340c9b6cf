package io.catchment.broker.node;

import io.catchment.broker.admin.AdminApis;
import io.catchment.broker.config.Listener;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.config.NodeRole;
import io.catchment.broker.fetch.FetchHandler;
import io.catchment.broker.fetch.ListOffsetsHandler;
import io.catchment.broker.fetch.OffsetForLeaderEpochHandler;
import io.catchment.broker.flush.FlushSettings;
import io.catchment.broker.flush.FlushThread;
import io.catchment.broker.flush.Flusher;
import io.catchment.broker.flush.ObjectReaper;
import io.catchment.broker.group.GroupCoordinatorHost;
import io.catchment.broker.group.api.GroupApis;
import io.catchment.broker.network.BoundListener;
import io.catchment.broker.network.EventLoops;
import io.catchment.broker.network.NetworkServer;
import io.catchment.broker.observe.FlushMeters;
import io.catchment.broker.observe.HttpServer;
import io.catchment.broker.observe.NodeMetrics;
import io.catchment.broker.observe.NodeRoutes;
import io.catchment.broker.observe.Readiness;
import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.produce.ProduceHandler;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.broker.read.ReadBudget;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.request.ApiTable;
import io.catchment.broker.request.NodeDescription;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.server.ControlPlaneConfig;
import io.catchment.controlplane.server.ControlPlaneServer;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.cache.CachedObjectReader;
import io.catchment.objectstore.cache.ReaderSettings;
import io.catchment.objectstore.open.ObjectStores;
import io.catchment.objectstore.retry.RetryPolicy;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node, wired and run. Started once, by one thread; closed once, by any. The order of the start is the order of trust: first
 * what the cluster knows (control plane), then what this disk holds (WAL, recovery), then the streams this node owns, and
 * clients last.
 */
final class Node implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Node.class);
    private static final int SEARCH_THREADS = 2;
    private static final long READ_BUDGET_BYTES_MIN = 32L << 20;
    private static final long START_TIMEOUT_S = 120;
    private static final long SEAL_TIMEOUT_MS = 10_000;
    private static final long LAST_FLUSH_MS = 10_000;

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
        NetworkServer network = closers.add("network", new NetworkServer(loops, config.network(), metrics.requests()));
        metrics.observeNetwork(network);
        ScheduledExecutorService timer = timer();

        ControlPlane controlPlane = controlPlane(network);
        List<BoundListener> clientListeners = new ArrayList<>();
        for (Listener listener : config.listeners().clients()) {
            clientListeners.add(network.bind(listener.name(), address(listener)));
        }

        WalControl walControl = new WalControl(controlPlane, config.nodeId());
        WalFanout walEvents = new WalFanout();
        LocalWal wal = LocalWal.open(walConfig(), config.nodeId(), walControl, walEvents);
        metrics.observeWal(wal::stats);
        closers.add("wal", () -> {
            wal.shutdown(SEAL_TIMEOUT_MS).toCompletableFuture().get(SEAL_TIMEOUT_MS + 5_000, TimeUnit.MILLISECONDS);
            wal.close();
        });

        ObjectStore store = closers.add(
                "object store",
                ObjectStores.open(
                        config.store().uri(), config.store().settings(), RetryPolicy.DEFAULT, timer, metrics.store()));
        CachedObjectReader objects = closers.add(
                "object reader",
                new CachedObjectReader(
                        store,
                        ReaderSettings.ofCacheBytes(config.reads().blockCacheBytes()),
                        PooledByteBufAllocator.DEFAULT,
                        timer));
        metrics.observeBlockCache(objects::stats);
        ExecutorService searches = searches();
        ReadBudget readBudget = new ReadBudget(readBudgetBytes());
        network.answersHoldMemory(() -> readBudget.waiting() > 0);
        LayeredStreamReader reader = new LayeredStreamReader(wal, objects, controlPlane::image, readBudget, searches);
        metrics.observeReads(reader::served);

        TopicConfigs topicConfigs =
                TopicConfigs.of(controlPlane, config.topics().schema());
        OwnedPartitions partitions = closers.add(
                "partitions",
                new OwnedPartitions(
                        loops.all(),
                        new OwnedPartitions.Dependencies(
                                config.nodeId(),
                                wal,
                                controlPlane,
                                reader,
                                objects,
                                topicConfigs,
                                metrics.arrivals(),
                                Time.SYSTEM,
                                config.reads().tailCacheBytes(),
                                config.topics().producerIdExpirationMs())));
        walEvents.listeners(List.of(partitions.walListener(), lanes, metrics.wal()));

        Command.NodeEpoch registration = await(controlPlane.submit(registration(wal.storeId(), clientListeners)));
        walControl.registered(registration.epoch());
        log.info("Registered as node {} in epoch {}", config.nodeId(), registration.epoch());
        List<String> obstacles = new WalStartup(
                        wal,
                        controlPlane,
                        config.nodeId(),
                        registration.epoch(),
                        config.wal().acceptLoss())
                .run();
        if (!obstacles.isEmpty()) {
            obstacles.forEach(obstacle -> log.error("This node serves nothing: {}", obstacle));
            serving.unmet(String.join("; ", obstacles));
            return;
        }
        Flusher flusher = flusher(wal, controlPlane, store, partitions, registration.epoch(), metrics);

        AdminApis admin = AdminApis.of(controlPlane, config, registration::epoch);
        GroupCoordinatorHost groups = closers.add(
                "group coordinator",
                new GroupCoordinatorHost(
                        config.nodeId(),
                        config.groups(),
                        controlPlane::image,
                        admin.autoCreator()::createInternal,
                        partitions,
                        partitions,
                        reader,
                        Time.SYSTEM));
        groups.meters().bindTo(metrics.registry());
        partitions.addListener(new GroupFeed(groups));
        await(partitions.start(registration.epoch()));
        groups.start(controlPlane.image());
        controlPlane.subscribe(groups::onImage);

        List<ApiHandler> handlers = new ArrayList<>(admin.handlers());
        handlers.addAll(GroupApis.handlers(groups.coordinator(), groups.offsetsTopic(), controlPlane::image));
        handlers.add(new ProduceHandler(partitions, controlPlane::image, Time.SYSTEM));
        handlers.add(new FetchHandler(
                partitions,
                reader,
                controlPlane::image,
                Time.SYSTEM,
                config.reads().fetch()));
        handlers.add(new ListOffsetsHandler(partitions, reader, wal, objects, controlPlane::image, searches));
        handlers.add(new OffsetForLeaderEpochHandler(partitions, controlPlane::image));
        ApiTable table = ApiTable.of(
                NodeDescription.of(config.nodeId(), controlPlane.image().clusterId()), handlers);
        for (BoundListener listener : clientListeners) {
            listener.start(table);
        }
        flusher.start();
        closers.add("clients", network);
        closers.add("readiness", () -> serving.unmet("stopping"));
        serving.met();
        log.info(
                "Ready with {} partitions after {} ms, clients connect to {}",
                partitions.openCount(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started),
                clientListeners.stream().map(BoundListener::address).toList());
    }

    @Override
    public void close() {
        closers.close();
    }

    private ControlPlane controlPlane(NetworkServer network) throws IOException {
        Listener listener = config.listeners()
                .controller()
                .orElseThrow(() ->
                        new IOException("listeners has no " + config.listeners().controllerName() + " listener"));
        BoundListener bound = network.bind(listener.name(), address(listener));
        Set<String> roles = config.roles().stream()
                .map(role -> role.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.toSet());
        String host = listener.host().isEmpty() ? "localhost" : listener.host();
        ControlPlaneServer server = closers.add(
                "control plane",
                ControlPlaneServer.start(
                        ControlPlaneConfig.singleController(
                                        config.nodeId(),
                                        ClusterId.of(config),
                                        config.controlDirectory(),
                                        roles,
                                        host,
                                        bound.port())
                                .withCommandTimeoutMs(config.control().commandTimeoutMs()),
                        Time.SYSTEM,
                        fatal));
        InetAddress unknown = InetAddress.getLoopbackAddress();
        bound.startRaw(frame -> server.endpoint().handle(frame, unknown));
        return server.controlPlane();
    }

    /** At a graceful stop it publishes what it can, so that the next start finds nothing to recover. */
    private Flusher flusher(
            LocalWal wal,
            ControlPlane controlPlane,
            ObjectStore store,
            OwnedPartitions partitions,
            long nodeEpoch,
            NodeMetrics metrics) {
        FlushSettings settings = FlushSettings.DEFAULT
                .withConcurrency(config.store().flushConcurrency())
                .withHotBytes(config.wal().hotBytes());
        FlushMeters meters = new FlushMeters(metrics.registry());
        FlushThread loop = closers.add("flush thread", new FlushThread());
        SplittableRandom random = new SplittableRandom();
        ObjectReaper reaper = closers.add(
                "object reaper",
                new ObjectReaper(controlPlane, store, config.nodeId(), settings, loop, random.split(), meters));
        Flusher flusher = closers.add(
                "flusher",
                new Flusher(
                        wal,
                        controlPlane,
                        store,
                        partitions.walListener()::rollDue,
                        config.nodeId(),
                        nodeEpoch,
                        settings,
                        loop,
                        random.split(),
                        meters));
        closers.add("last flush", () -> flusher.flushAll(LAST_FLUSH_MS)
                .toCompletableFuture()
                .get(LAST_FLUSH_MS + 5_000, TimeUnit.MILLISECONDS));
        meters.observe(flusher::stats);
        reaper.start();
        return flusher;
    }

    /** Reads from extents are not in the block cache: half as much again for them. */
    private long readBudgetBytes() {
        return Math.max(READ_BUDGET_BYTES_MIN, config.reads().blockCacheBytes() / 2);
    }

    /** For look-ups by offset and by time below the tail: they read indexes from the disk and decompress batches. */
    private ExecutorService searches() {
        AtomicInteger number = new AtomicInteger();
        ExecutorService searches = Executors.newFixedThreadPool(SEARCH_THREADS, task -> {
            Thread thread = new Thread(task, "search-" + number.getAndIncrement());
            thread.setDaemon(true);
            return thread;
        });
        closers.add("searches", searches::shutdownNow);
        return searches;
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

    private WalConfig walConfig() {
        NodeConfig.WalSettings settings = config.wal();
        return WalConfig.defaults(config.walDirectory())
                .withExtentBytes(settings.extentBytes())
                .withRoll(settings.rollMs(), 2_000)
                .withQueueBytesMax(settings.queueBytes())
                .withReserveBytes(settings.reserveBytes());
    }

    private Command.RegisterNode registration(String storeId, List<BoundListener> bound) {
        List<Endpoint> endpoints = new ArrayList<>();
        for (BoundListener listener : bound) {
            Listener advertised = config.listeners().advertisedFor(listener.name());
            int port = advertised.port() == 0 ? listener.port() : advertised.port();
            endpoints.add(new Endpoint(listener.name(), advertised.host(), port));
        }
        List<String> roles = config.roles().stream()
                .map(NodeRole::name)
                .map(name -> name.toLowerCase(Locale.ROOT))
                .toList();
        return new Command.RegisterNode(config.nodeId(), storeId, endpoints, config.zone(), roles, Uuid.randomUuid());
    }

    private static InetSocketAddress address(Listener listener) {
        return listener.host().isEmpty()
                ? new InetSocketAddress(listener.port())
                : new InetSocketAddress(listener.host(), listener.port());
    }

    private static <T> T await(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(START_TIMEOUT_S, TimeUnit.SECONDS);
    }
}
