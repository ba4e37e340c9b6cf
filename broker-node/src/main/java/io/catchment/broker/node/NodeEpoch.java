package io.catchment.broker.node;

import io.catchment.broker.admin.AdminApis;
import io.catchment.broker.config.Listener;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.config.NodeRole;
import io.catchment.broker.extents.EnsembleGrowth;
import io.catchment.broker.extents.ExtentKeeper;
import io.catchment.broker.extents.WalControl;
import io.catchment.broker.fetch.FetchHandler;
import io.catchment.broker.fetch.ListOffsetsHandler;
import io.catchment.broker.fetch.OffsetForLeaderEpochHandler;
import io.catchment.broker.flush.FlushOrder;
import io.catchment.broker.flush.FlushSettings;
import io.catchment.broker.flush.FlushStats;
import io.catchment.broker.flush.Flusher;
import io.catchment.broker.flush.ObjectReaper;
import io.catchment.broker.group.ClusterOffsets;
import io.catchment.broker.group.GroupCoordinatorHost;
import io.catchment.broker.group.api.GroupApis;
import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.near.NearPartitions;
import io.catchment.broker.near.NearReads;
import io.catchment.broker.network.BoundListener;
import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.peer.PeerRequests;
import io.catchment.broker.produce.ProduceHandler;
import io.catchment.broker.producerid.InitProducerIdHandler;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.request.ApiTable;
import io.catchment.broker.request.NodeDescription;
import io.catchment.broker.retention.DeleteRecordsHandler;
import io.catchment.broker.retention.Retention;
import io.catchment.broker.share.state.ShareCoordinatorHost;
import io.catchment.broker.telemetry.TelemetryApis;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.broker.transaction.PeerVerifier;
import io.catchment.broker.transaction.TransactionHost;
import io.catchment.broker.transaction.TransactionTopic;
import io.catchment.broker.transaction.api.TransactionApis;
import io.catchment.broker.transaction.api.TransactionalIdentities;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.NodeState;
import io.catchment.wal.WalStats;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.node.WalPeers;
import io.catchment.wal.remote.RemoteConfig;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
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
final class NodeEpoch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(NodeEpoch.class);
    private static final long SEAL_TIMEOUT_MS = 10_000;
    private static final long LAST_FLUSH_MS = 10_000;
    private static final long GOODBYE_MS = 3_000;
    private static final long SAMPLE_MS = 1_000;
    private static final long DRAIN_LOOK_MS = 20;
    private final NodeParts parts;
    private final AdminApis admin;
    private final NodeConfig config;
    private final Closers closers = new Closers();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile long epoch = -1;
    private volatile boolean begun;
    private volatile boolean leaving;
    private volatile @Nullable LocalWal wal;
    private volatile @Nullable LayeredStreamReader reader;
    private volatile @Nullable ExtentKeeper keeper;
    private volatile @Nullable Flusher flusher;
    private volatile @Nullable OwnedPartitions partitions;
    private volatile @Nullable LoadMeter load;

    /** @param over hears, once and on any thread, that this epoch has ended without having been closed */
    NodeEpoch(NodeParts parts, AdminApis admin, Consumer<NodeEpoch> over) {
        this.parts = parts;
        this.admin = admin;
        this.config = parts.config();
        var unused = ended.whenComplete((nothing, why) -> {
            if (!leaving) {
                over.accept(this);
            }
        });
    }

    long epoch() {
        return epoch;
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
        ExtentKeeper present = keeper;
        return present == null ? List.of() : present.obstacles();
    }

    FlushStats flushStats() {
        Flusher present = flusher;
        return present == null ? FlushStats.NONE : present.stats();
    }

    /**
     * Begins it; blocks until clients are served.
     *
     * @throws EpochOverException when the epoch ended meanwhile
     * @throws CommandException when the controllers do not answer
     */
    void begin() throws Exception {
        EpochControlPlane controlPlane = closers.add("subscriptions", new EpochControlPlane(parts.controlPlane()));
        WalControl walControl = new WalControl(controlPlane, config.nodeId());
        WalFanout walEvents = new WalFanout();
        Optional<WalNetwork> network = WalNetwork.open(config, controlPlane, parts.lookups());
        network.ifPresent(open -> closers.add("WAL network", open));
        parts.lanes().epochBegins();
        LocalWal opened = openWal(walControl, walEvents, network);
        if (network.isPresent()) {
            network.get().listen(opened);
        }
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
        OwnedPartitions owned =
                closers.add("partitions", partitions(controlPlane, extents, streams, transactionTopic, verifications));
        partitions = owned;
        walEvents.listeners(
                List.of(owned.walListener(), parts.lanes(), parts.metrics().wal(), new FencedListener(this::end)));

        register(controlPlane, walControl, opened, network);
        List<String> obstacles = await(keeper(controlPlane, opened).ready());
        if (config.wal().replicas() > 1) {
            obstacles.forEach(obstacle -> log.error("Streams stay unavailable: {}", obstacle));
        } else if (!obstacles.isEmpty()) {
            obstacles.forEach(obstacle -> log.error("This node serves nothing: {}", obstacle));
            parts.serving().unmet(String.join("; ", obstacles));
            begun = true;
            return;
        }
        if (network.isPresent()) {
            EnsembleGrowth.watch(
                    controlPlane, config.wal().replicas(), (fresh, copies) -> opened.storesChanged(copies, fresh));
        }
        Flusher flush = flusher(controlPlane, opened, owned);
        serve(controlPlane, extents, streams, owned, transactionTopic, peers);
        flush.start();
        RewriteThread.start(parts, controlPlane, epoch, flush::stats, closers);
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
        closers.add("wal", () -> {
            wal = null;
            if (!ended.isDone()) {
                opened.shutdown(SEAL_TIMEOUT_MS)
                        .toCompletableFuture()
                        .get(SEAL_TIMEOUT_MS + 5_000, TimeUnit.MILLISECONDS);
                goodbye();
            }
            opened.close();
        });
        wal = opened;
        return opened;
    }

    private OwnedPartitions partitions(
            EpochControlPlane controlPlane,
            StreamExtents extents,
            LayeredStreamReader streams,
            TransactionTopic transactionTopic,
            PeerRequests verifications) {
        return new OwnedPartitions(
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
                        new PeerVerifier(transactionTopic, verifications, peerListener()),
                        Time.SYSTEM,
                        config.reads().tailCacheBytes(),
                        config.topics().producerIdExpirationMs()));
    }

    private void register(
            EpochControlPlane controlPlane, WalControl walControl, LocalWal opened, Optional<WalNetwork> network)
            throws Exception {
        // The lease begins with the registration, the heartbeats when this node knows of it: its image must not lag by
        // then.
        await(controlPlane.barrier());
        Command.NodeEpoch registration =
                await(controlPlane.submit(registration(opened.storeId(), network.map(WalNetwork::endpoint))));
        epoch = registration.epoch();
        walControl.registered(epoch);
        network.ifPresent(open -> open.watch(parts.timer(), parts.lookups()));
        LoadMeter meter = new LoadMeter(
                opened::stats,
                config.walDirectory().toFile()::getTotalSpace,
                config.wal().replicas() > 1 ? config.wal().reserveBytes() : 0,
                System::nanoTime,
                () -> network.map(WalNetwork::unreachableMs).orElse(Map.of()),
                this::extentsWorkedOn,
                this::streamsServed);
        load = meter;
        ScheduledFuture<?> sampling = parts.timer()
                .scheduleWithFixedDelay(
                        () -> parts.searches().execute(meter::sample), SAMPLE_MS, SAMPLE_MS, TimeUnit.MILLISECONDS);
        closers.add("load figures", () -> sampling.cancel(false));
        controlPlane.keepAlive(epoch, meter::load, lost -> end("its lease is over"));
        log.info("Registered as node {} in epoch {}", config.nodeId(), epoch);
        if (controlPlane
                .image()
                .node(config.nodeId())
                .filter(NodeState::draining)
                .isPresent()) {
            // It was drained before it stopped; who starts it again means to use it.
            await(controlPlane.submit(new Command.DrainNode(config.nodeId(), false)));
        }
    }

    private ExtentKeeper keeper(EpochControlPlane controlPlane, LocalWal opened) {
        SerialThread loop = closers.add("extents thread", new SerialThread("extents"));
        ExtentKeeper made = closers.add(
                "extent keeper",
                new ExtentKeeper(
                        opened,
                        controlPlane,
                        config.nodeId(),
                        epoch,
                        config.wal().acceptLoss(),
                        loop,
                        new SplittableRandom()));
        keeper = made;
        made.start();
        return made;
    }

    /** By which nodes reach each other as clients. */
    private String peerListener() {
        return config.listeners().clients().get(0).name();
    }

    private int streamsServed() {
        OwnedPartitions present = partitions;
        return present == null ? 0 : present.openCount();
    }

    private Set<Long> extentsWorkedOn() {
        Set<Long> all = new HashSet<>();
        ExtentKeeper keeping = keeper;
        if (keeping != null) {
            all.addAll(keeping.workedOn());
        }
        Flusher flushing = flusher;
        if (flushing != null) {
            all.addAll(flushing.workedOn());
        }
        return all;
    }

    private void serve(
            EpochControlPlane controlPlane,
            StreamExtents extents,
            LayeredStreamReader streams,
            OwnedPartitions owned,
            TransactionTopic transactionTopic,
            PeerRequests peers)
            throws Exception {
        ShareServices shares = new ShareServices(
                config, controlPlane, owned, streams, admin.autoCreator()::createInternal, peerListener(), closers);
        GroupCoordinatorHost groups = closers.add(
                "group coordinator",
                new GroupCoordinatorHost(
                        config.nodeId(),
                        config.groups(),
                        controlPlane::image,
                        admin.autoCreator()::createInternal,
                        owned,
                        owned,
                        streams,
                        shares.persister(),
                        new ClusterOffsets(owned, controlPlane::image, peers, peerListener()),
                        Time.SYSTEM));
        closers.add(
                "group meters",
                BoundMeters.bind(groups.meters(), parts.metrics().registry()));
        owned.addListener(new StateTopicFeed(
                Topic.GROUP_METADATA_TOPIC_NAME, groups::onPartitionOpened, groups::onPartitionClosed));
        TransactionHost transactions = closers.add(
                "transaction coordinator",
                new TransactionHost(
                        config.transactions(),
                        new TransactionHost.Parts(
                                transactionTopic,
                                controlPlane::image,
                                admin.producerIds()::next,
                                owned,
                                owned,
                                streams,
                                peers,
                                peerListener(),
                                Time.SYSTEM),
                        closers.add("transactions thread", new SerialThread("transactions"))));
        owned.addListener(new StateTopicFeed(
                Topic.TRANSACTION_STATE_TOPIC_NAME,
                (partition, leaderEpoch) -> transactions.onPartitionOpened(partition),
                transactions::onPartitionClosed));
        ShareCoordinatorHost shareCoordinator = shares.coordinator(epoch);
        await(owned.start(epoch));
        groups.start(controlPlane.image());
        transactions.start();
        shareCoordinator.start(controlPlane.image());
        controlPlane.subscribe(groups::onImage);
        controlPlane.subscribe(shareCoordinator::onImage);

        List<ApiHandler> handlers = new ArrayList<>(admin.handlers());
        handlers.addAll(GroupApis.handlers(
                groups.coordinator(),
                groups.offsetsTopic(),
                transactionTopic::coordinatorOf,
                admin.streamsTopics()::create,
                shares.topic()::coordinatorOf,
                controlPlane::image));
        handlers.addAll(TransactionApis.handlers(
                transactions.coordinator(), groups.coordinator(), owned, controlPlane::image, Time.SYSTEM));
        handlers.add(new InitProducerIdHandler(
                admin.producerIds(), new TransactionalIdentities(transactions.coordinator())));
        handlers.add(new ProduceHandler(owned, controlPlane::image, Time.SYSTEM, parts.quotas()));
        TopicConfigs configs = TopicConfigs.of(controlPlane, config.topics().schema());
        handlers.add(new FetchHandler(
                owned,
                streams,
                controlPlane::image,
                Time.SYSTEM,
                config.reads().fetch(),
                parts.quotas(),
                nearReads(controlPlane, extents, configs)));
        ListOffsetsHandler offsets =
                new ListOffsetsHandler(owned, streams, extents, parts.objects(), controlPlane::image, parts.searches());
        handlers.add(offsets);
        handlers.addAll(shares.handlers(
                shareCoordinator, groups, offsets, parts.metrics().registry()));
        handlers.add(new OffsetForLeaderEpochHandler(owned, controlPlane::image));
        handlers.addAll(TelemetryApis.handlers(parts.telemetry(), parts.searches()));
        handlers.add(new DeleteRecordsHandler(owned, controlPlane, configs::forTopic, config.nodeId(), epoch));
        retain(controlPlane, configs);
        parts.clients()
                .serve(ApiTable.of(
                        NodeDescription.of(config.nodeId(), controlPlane.image().clusterId()), handlers));
    }

    private NearReads nearReads(EpochControlPlane controlPlane, StreamExtents extents, TopicConfigs configs) {
        if (!config.reads().nearest()) {
            return NearReads.NONE;
        }
        return closers.add(
                "near reads",
                NearPartitions.start(
                        config.nodeId(),
                        epoch,
                        config.zone(),
                        controlPlane,
                        extents,
                        topic -> configs.forTopic(topic).lane(),
                        peerListener(),
                        parts.nearMeters()));
    }

    private void retain(EpochControlPlane controlPlane, TopicConfigs configs) {
        Retention retention = closers.add(
                "retention",
                new Retention(
                        controlPlane,
                        config.nodeId(),
                        epoch,
                        configs::forTopic,
                        parts.objects(),
                        config.topics().retentionCheckMs(),
                        closers.add("retention thread", new SerialThread("retention")),
                        new SplittableRandom()));
        retention.start();
    }

    private Flusher flusher(EpochControlPlane controlPlane, LocalWal opened, OwnedPartitions owned) {
        FlushSettings settings = FlushSettings.DEFAULT
                .withConcurrency(config.store().flushConcurrency())
                .withObjectLife(config.store().uploadLimitMs(), config.store().deleteGraceMs())
                .withHotBytes(config.wal().hotBytes());
        SerialThread loop = closers.add("flush thread", new SerialThread("flush"));
        SplittableRandom random = new SplittableRandom();
        ObjectReaper reaper = closers.add(
                "object reaper",
                new ObjectReaper(
                        controlPlane,
                        parts.store(),
                        config.nodeId(),
                        settings,
                        loop,
                        random.split(),
                        parts.flushMeters(),
                        parts.horizon()));
        Flusher made = closers.add(
                "flusher",
                new Flusher(
                        opened,
                        controlPlane,
                        lane -> parts.transfers().of(FlushOrder.transferClass(lane)),
                        owned.walListener()::rollDue,
                        config.nodeId(),
                        epoch,
                        settings,
                        loop,
                        random.split(),
                        parts.flushMeters(),
                        parts.horizon()));
        if (config.wal().replicas() == 1) {
            // Nobody else could: at a graceful stop it publishes what it can, so that the next start finds nothing to
            // recover.
            closers.add("last flush", () -> made.flushAll(ended.isDone() ? 0 : LAST_FLUSH_MS)
                    .toCompletableFuture()
                    .get(LAST_FLUSH_MS + 5_000, TimeUnit.MILLISECONDS));
        }
        flusher = made;
        reaper.start();
        return made;
    }

    private WalConfig walConfig() {
        NodeConfig.WalSettings settings = config.wal();
        return WalConfig.defaults(config.walDirectory())
                .withExtentBytes(settings.extentBytes())
                .withRoll(settings.rollMs(), 2_000)
                .withQueueBytesMax(settings.queueBytes())
                .withReserveBytes(settings.reserveBytes());
    }

    private Command.RegisterNode registration(String storeId, Optional<Endpoint> replication) {
        List<Endpoint> endpoints = new ArrayList<>();
        for (BoundListener listener : parts.clientListeners()) {
            Listener advertised = config.listeners().advertisedFor(listener.name());
            int port = advertised.port() == 0 ? listener.port() : advertised.port();
            endpoints.add(new Endpoint(listener.name(), advertised.host(), port));
        }
        replication.ifPresent(endpoints::add);
        List<String> roles = config.roles().stream()
                .map(NodeRole::name)
                .map(name -> name.toLowerCase(Locale.ROOT))
                .toList();
        return new Command.RegisterNode(
                config.nodeId(), storeId, endpoints, config.zone(), roles, Uuid.randomUuid(), true);
    }

    /** Any thread: nothing of this epoch is right any more. */
    private void end(String why) {
        if (!leaving && !ended.isDone()) {
            log.warn("Epoch {} of node {} is over: {}", epoch, config.nodeId(), why);
        }
        ended.complete(null);
    }

    /** Waits for what the beginning needs, unless the epoch ends first. */
    private <T> T await(CompletionStage<T> stage) throws Exception {
        CompletableFuture<T> result = stage.toCompletableFuture();
        try {
            CompletableFuture.anyOf(result, ended).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CommandException command) {
                throw command;
            }
            throw e;
        }
        if (!result.isDone()) {
            throw new EpochOverException("the epoch ended while it began");
        }
        return result.get();
    }

    /** Before a graceful end: the streams go to others first, as far as there are any, so that nobody waits for a lease. */
    void giveAwayStreams(long timeoutMs) throws InterruptedException {
        OwnedPartitions owned = partitions;
        LoadMeter meter = load;
        boolean others = parts.controlPlane().image().nodes().stream()
                .anyMatch(node -> node.nodeId() != config.nodeId() && node.takesMore() && node.has("broker"));
        if (owned == null || meter == null || !others || ended.isDone()) {
            return;
        }
        meter.drain();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        while (owned.openCount() > 0 && !ended.isDone() && System.nanoTime() < deadline) {
            Thread.sleep(DRAIN_LOOK_MS);
        }
    }

    /** Its streams and extents need not wait for the end of its lease. */
    private void goodbye() {
        try {
            parts.controlPlane()
                    .submit(new Command.UnregisterNode(config.nodeId(), epoch))
                    .toCompletableFuture()
                    .get(GOODBYE_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            log.info("This node leaves without a goodbye: {}", e.toString());
        }
    }

    /** It is to be closed soon: its end is no news, and nothing waits for it any more. */
    void leave() {
        leaving = true;
        if (!begun) {
            ended.complete(null);
        }
    }

    @Override
    public void close() {
        leaving = true;
        closers.close();
    }
}
