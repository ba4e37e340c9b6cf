package io.catchment.broker.node;

import io.catchment.broker.admin.AdminApis;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.extents.EnsembleWatch;
import io.catchment.broker.extents.WalControl;
import io.catchment.broker.flush.FlushStats;
import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.peer.PeerRequests;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.broker.transaction.PeerVerifier;
import io.catchment.broker.transaction.TransactionTopic;
import io.catchment.controlplane.CommandException;
import io.catchment.wal.WalStats;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.node.WalPeers;
import io.catchment.wal.remote.RemoteConfig;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One epoch of a node, from its registration until it is fenced or leaves: the WAL, the streams it serves, the groups, the flush, all
 * of which begin anew with the next epoch, from what is on disk and in the image. Begun and ended by one thread.
 *
 * <p>The order of the beginning is the order of trust: what this disk holds (WAL; other nodes reach it from now on), the registration,
 * recovery, the streams this node owns, and clients last.
 */
final class NodeEpoch implements EpochSuccession.Epoch {
    private static final Logger log = LoggerFactory.getLogger(NodeEpoch.class);
    private static final long SEAL_TIMEOUT_MS = 10_000;
    private final NodeParts parts;
    private final AdminApis admin;
    private final NodeConfig config;
    private final Closers closers = new Closers();
    private final EpochEnd end = new EpochEnd();
    private final Membership membership;
    private volatile boolean begun;
    private volatile boolean leaving;
    private volatile @Nullable LocalWal wal;
    private volatile @Nullable LayeredStreamReader reader;
    private volatile @Nullable OwnedPartitions partitions;
    private volatile @Nullable ExtentUpkeep upkeep;

    /**
     * @param registrations of this process so far
     * @param over hears, once and on any thread, that this epoch has ended without having been closed
     */
    NodeEpoch(NodeParts parts, AdminApis admin, Registrations registrations, Consumer<NodeEpoch> over) {
        this.parts = parts;
        this.admin = admin;
        this.config = parts.config();
        this.membership = new Membership(
                parts, end, closers, new Membership.Work(this::extentsWorkedOn, this::openPartitions), registrations);
        end.then(() -> {
            if (!leaving) {
                over.accept(this);
            }
        });
    }

    @Override
    public long epoch() {
        return membership.epoch();
    }

    int openPartitions() {
        OwnedPartitions present = partitions;
        return present == null ? 0 : present.openCount();
    }

    Optional<WalStats> walStats() {
        return Optional.ofNullable(wal).map(LocalWal::stats);
    }

    LayeredStreamReader.Served served() {
        LayeredStreamReader present = reader;
        return present == null ? LayeredStreamReader.Served.NONE : present.served();
    }

    /** Acknowledged data that cannot be had now, for people. */
    List<String> obstacles() {
        ExtentUpkeep present = upkeep;
        return present == null ? List.of() : present.obstacles();
    }

    FlushStats flushStats() {
        ExtentUpkeep present = upkeep;
        return present == null ? FlushStats.NONE : present.flushStats();
    }

    private Set<Long> extentsWorkedOn() {
        ExtentUpkeep present = upkeep;
        return present == null ? Set.of() : present.workedOn();
    }

    /**
     * Begins it; blocks until clients are served.
     *
     * @throws EpochOverException when the epoch ended meanwhile
     * @throws CommandException when the controllers do not answer
     * @throws SupersededException when another process has this node id now
     */
    @Override
    public void begin() throws Exception {
        EpochControlPlane controlPlane = closers.add("subscriptions", new EpochControlPlane(parts.controlPlane()));
        WalControl walControl = new WalControl(controlPlane, config.nodeId());
        WalFanout walEvents = new WalFanout(new FencedListener(this::end));
        Optional<WalNetwork> network = WalNetwork.open(config, controlPlane, parts.lookups());
        network.ifPresent(open -> closers.add("WAL network", open));
        parts.lanes().epochBegins();
        LocalWal opened = openWal(walControl, walEvents, network);
        if (network.isPresent()) {
            network.get().listen(opened);
        }
        ClientServices.Streams streams = streams(controlPlane, opened, network);
        OwnedPartitions owned = streams.owned();
        walEvents.listeners(
                List.of(owned.walListener(), parts.lanes(), parts.metrics().wal()));

        membership.register(controlPlane, opened, network, walControl::registered, this::end);
        ExtentUpkeep extents = new ExtentUpkeep(
                parts, controlPlane, opened, walControl, streams.extents(), membership.epoch(), end, closers);
        upkeep = extents;
        List<String> obstacles = end.await(extents.recover());
        if (config.wal().replicas() > 1) {
            obstacles.forEach(obstacle -> log.error("Streams stay unavailable: {}", obstacle));
        } else if (!obstacles.isEmpty()) {
            obstacles.forEach(obstacle -> log.error("This node serves nothing: {}", obstacle));
            parts.serving().unmet(String.join("; ", obstacles));
            closers.add(
                    "obstacle watch",
                    new ObstacleWatch(
                            parts.timer(), extents::obstacles, () -> end("what stood in its way has passed")));
            begun = true;
            return;
        }
        IntSupplier copies = network.isPresent()
                ? EnsembleWatch.begin(
                        controlPlane,
                        config.nodeId(),
                        config.wal().replicas(),
                        config.wal().ackQuorum(),
                        opened::storesChanged)::copies
                : config.wal()::replicas;
        extents.prepareFlush(owned);
        new ClientServices(parts, admin, controlPlane, streams, copies, closers).serve(membership.epoch(), end);
        extents.flush();
        RewriteThread.start(parts, controlPlane, membership.epoch(), extents::flushStats, closers);
        closers.add("readiness", () -> parts.serving().unmet("between two epochs, or stopping"));
        begun = true;
        parts.serving().met();
    }

    private LocalWal openWal(WalControl walControl, WalFanout walEvents, Optional<WalNetwork> network)
            throws Exception {
        LocalWal opened = network.isPresent()
                ? LocalWal.open(
                        walConfig(),
                        config.nodeId(),
                        walControl,
                        walEvents,
                        new WalPeers(
                                RemoteConfig.defaults(parts.clusterId()),
                                network.get().network()))
                : LocalWal.open(walConfig(), config.nodeId(), walControl, walEvents);
        closers.add("wal", () -> close(opened));
        wal = opened;
        return opened;
    }

    /** Whatever goes wrong before, the next epoch wants its directory. */
    private void close(LocalWal opened) throws Exception {
        wal = null;
        try (opened) {
            if (!end.hasCome()) {
                opened.shutdown(SEAL_TIMEOUT_MS)
                        .toCompletableFuture()
                        .get(SEAL_TIMEOUT_MS + 5_000, TimeUnit.MILLISECONDS);
                membership.sayGoodbye();
            }
        }
    }

    private WalConfig walConfig() {
        NodeConfig.WalSettings settings = config.wal();
        return WalConfig.defaults(config.walDirectory())
                .withExtentBytes(settings.extentBytes())
                .withRoll(settings.rollMs(), 2_000)
                .withQueueBytesMax(settings.queueBytes())
                .withReserveBytes(settings.reserveBytes());
    }

    /** What can be read and written here; nothing is owned yet. */
    private ClientServices.Streams streams(
            EpochControlPlane controlPlane, LocalWal opened, Optional<WalNetwork> network) {
        StreamExtents extents = network.isPresent()
                ? StreamExtents.of(opened, config.nodeId(), opened.peers())
                : StreamExtents.alone(opened);
        LayeredStreamReader streams = new LayeredStreamReader(
                extents, parts.objects(), controlPlane::image, parts.readBudgets(), parts.searches());
        reader = streams;
        PeerRequests peers = closers.add("requests to peers", new PeerRequests(config.nodeId(), Time.SYSTEM));
        // Of their own: unlike the markers, they may be held back by a quota
        PeerRequests verifications =
                closers.add("verifications", new PeerRequests("verifications", config.nodeId(), Time.SYSTEM));
        TransactionTopic transactionTopic =
                new TransactionTopic(controlPlane::image, admin.autoCreator()::createInternal, config.transactions());
        OwnedPartitions owned = closers.add(
                "partitions",
                new OwnedPartitions(
                        parts.loops().all(),
                        new OwnedPartitions.Dependencies(
                                config.nodeId(),
                                extents.wal(),
                                extents,
                                controlPlane,
                                streams,
                                parts.objects(),
                                TopicConfigs.of(controlPlane, config.topics().schema()),
                                parts.metrics().arrivals(),
                                new PeerVerifier(
                                        transactionTopic,
                                        verifications,
                                        config.listeners().peers()),
                                Time.SYSTEM,
                                config.reads().tailCacheBytes(),
                                config.topics().producerIdExpirationMs())));
        partitions = owned;
        return new ClientServices.Streams(extents, streams, owned, transactionTopic, peers);
    }

    /** Any thread: nothing of this epoch is right any more. */
    private void end(String why) {
        if (!leaving && !end.hasCome()) {
            log.warn("Epoch {} of node {} is over: {}", epoch(), config.nodeId(), why);
        }
        end.come();
    }

    /** Before a graceful end, while clients and other nodes still reach this one. */
    void takeLeave() throws InterruptedException {
        membership.takeLeave();
    }

    /** It is to be closed soon: its end is no news, and nothing waits for it any more. */
    @Override
    public void leave() {
        leaving = true;
        if (!begun) {
            end.come();
        }
    }

    @Override
    public void close() {
        leaving = true;
        closers.close();
    }
}
