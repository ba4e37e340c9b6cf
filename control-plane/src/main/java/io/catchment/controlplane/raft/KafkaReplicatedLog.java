package io.catchment.controlplane.raft;

import io.catchment.controlplane.log.Leadership;
import io.catchment.controlplane.log.LogListener;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.log.ReplicatedLog;
import io.catchment.controlplane.log.SnapshotSink;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.BootstrapConfiguration;
import org.apache.kafka.clients.ManualMetadataUpdater;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.network.PlaintextChannelBuilder;
import org.apache.kafka.common.network.Selectable;
import org.apache.kafka.common.network.Selector;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.LogContext;
import org.apache.kafka.raft.Endpoints;
import org.apache.kafka.raft.FileQuorumStateStore;
import org.apache.kafka.raft.KafkaNetworkChannel;
import org.apache.kafka.raft.KafkaRaftClient;
import org.apache.kafka.raft.KafkaRaftClientDriver;
import org.apache.kafka.raft.MetadataLogConfig;
import org.apache.kafka.raft.QuorumConfig;
import org.apache.kafka.raft.RaftLog;
import org.apache.kafka.raft.errors.NotLeaderException;
import org.apache.kafka.raft.internals.KafkaRaftLog;
import org.apache.kafka.server.common.OffsetAndEpoch;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.snapshot.SnapshotWriter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replicated log on Kafka's Raft with dynamic voters (KIP-595, KIP-853): wiring only, consensus is Kafka's. Thread-safe.
 *
 * <p>A controller votes once the voter set names its node id with its directory's id; any other node observes. The same code
 * serves one voter or several.
 */
public final class KafkaReplicatedLog implements ReplicatedLog {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaReplicatedLog.class);
    /** Kafka's fixed id of the metadata topic. */
    private static final Uuid TOPIC_ID = Uuid.METADATA_TOPIC_ID;

    /** Between attempts to connect to a node that refuses; each is a line in the log. */
    private static final long RECONNECT_MS = 50;

    private static final long RECONNECT_MS_MAX = 500;

    private final RaftConfig config;
    private final Time time;
    private final RaftDirectory directory;
    private final KafkaScheduler scheduler;
    private final RaftLog log;
    private final Metrics metrics;
    private final KafkaNetworkChannel channel;
    private final ScheduledExpiration expiration;
    private final KafkaRaftClient<LogRecord> client;
    private final KafkaRaftClientDriver<LogRecord> driver;
    private volatile @Nullable ControllerRequests requests;

    private KafkaReplicatedLog(RaftConfig config, Time time, RaftDirectory directory, Consumer<Throwable> fatal)
            throws IOException {
        this.config = config;
        this.time = time;
        this.directory = directory;
        String name = "raft-" + config.nodeId();
        LogContext logContext = new LogContext("[" + name + "] ");
        AbstractConfig kafkaConfig = kafkaConfig(config);
        metrics = new Metrics(time);
        scheduler = new KafkaScheduler(1, true, name + "-scheduler");
        scheduler.startup();
        KafkaRaftLog kafkaLog = KafkaRaftLog.createLog(
                Topic.CLUSTER_METADATA_TOPIC_PARTITION,
                TOPIC_ID,
                directory.logDirectory().toFile(),
                time,
                scheduler,
                new MetadataLogConfig(kafkaConfig),
                config.nodeId());
        log = config.controller() ? new SyncedRaftLog(kafkaLog) : kafkaLog;
        channel = new KafkaNetworkChannel(
                time, listenerName(config), networkClient(config, time, logContext), config.requestTimeoutMs(), name);
        expiration = new ScheduledExpiration(name + "-expiration");
        client = new KafkaRaftClient<>(
                OptionalInt.of(config.nodeId()),
                directory.directoryId(),
                LogRecordSerde.INSTANCE,
                channel,
                log,
                time,
                expiration,
                logContext,
                config.controller(),
                config.clusterId(),
                bootstrap(config),
                config.controller() ? RaftDirectory.endpoints(config) : Endpoints.empty(),
                RaftDirectory.KRAFT_VERSIONS,
                new QuorumConfig(kafkaConfig));
        driver = new KafkaRaftClientDriver<>(
                client,
                name,
                (message, cause) -> {
                    fatal.accept(new IllegalStateException("control log: " + message, cause));
                    return new IllegalStateException(message, cause);
                },
                logContext);
    }

    /**
     * Opens or formats the directory. Nothing runs before {@link #start}.
     *
     * @param formAlone what to do with a directory that was never used: become the only voter of a new cluster, or join one
     * @param fatal gets what makes it impossible to go on, on any thread
     */
    public static KafkaReplicatedLog open(RaftConfig config, boolean formAlone, Time time, Consumer<Throwable> fatal)
            throws IOException {
        RaftDirectory directory = RaftDirectory.open(config, formAlone);
        try {
            return new KafkaReplicatedLog(config, time, directory, fatal);
        } catch (IOException | RuntimeException e) {
            directory.close();
            throw e;
        }
    }

    /**
     * Makes an unused directory that of the only voter of a new cluster whose log begins with a snapshot: complete, or as if it had not
     * been begun.
     *
     * @param nextOffset where the log goes on after the snapshot
     * @param content appends the snapshot's records; freezing is not its part
     */
    public static void restore(
            RaftConfig config, long nextOffset, int epoch, long timestampMs, Consumer<SnapshotSink> content)
            throws IOException {
        RaftDirectory.restore(config, new OffsetAndEpoch(nextOffset, epoch), timestampMs, content);
    }

    /** Whether {@link #open} would format the directory. */
    public static boolean isUnused(RaftConfig config) {
        return RaftDirectory.isUnused(config);
    }

    /** Whether this node has anything of a cluster's log, committed or not. Thread-safe. */
    public boolean hasState() {
        return log.endOffset().offset() > 0 || log.latestSnapshotId().isPresent();
    }

    static ListenerName listenerName(RaftConfig config) {
        return ListenerName.normalised(config.listener());
    }

    @Override
    public void start(LogListener logListener) {
        RaftListener adapter = new RaftListener(logListener);
        client.register(adapter);
        client.initialize(
                Map.of(), new FileQuorumStateStore(directory.quorumState().toFile()), metrics, ignored -> {});
        requests = new ControllerRequests(config.clusterId(), listenerName(config), driver, adapter::voters, time);
        channel.start();
        driver.start();
    }

    @Override
    public OptionalLong propose(int leaderEpoch, List<LogRecord> batch) {
        long lastOffset;
        try {
            lastOffset = client.prepareAppend(leaderEpoch, batch);
        } catch (NotLeaderException e) {
            LOG.debug("epoch {} is over: {}", leaderEpoch, e.getMessage());
            return OptionalLong.empty();
        }
        try {
            client.schedulePreparedAppend();
        } catch (NotLeaderException e) {
            // Raft has them since the step before, and a change of voters may have taken them along: their fate is open
            LOG.debug("epoch {} ended with records at {} prepared: {}", leaderEpoch, lastOffset, e.getMessage());
        }
        return OptionalLong.of(lastOffset);
    }

    @Override
    public Optional<SnapshotSink> snapshot(long lastOffset, int lastEpoch, long lastTimestampMs) {
        return client.createSnapshot(new OffsetAndEpoch(lastOffset + 1, lastEpoch), lastTimestampMs)
                .map(Sink::new);
    }

    @Override
    public Optional<InetSocketAddress> address(int nodeId) {
        return client.voterNode(nodeId, listenerName(config))
                // A name server is asked by whoever connects: this is called all the time
                .map(node -> InetSocketAddress.createUnresolved(node.host(), node.port()));
    }

    public static boolean takes(short apiKey) {
        return ControllerRequests.takes(apiKey);
    }

    @Override
    public CompletionStage<ByteBuffer> answer(ByteBuffer frame) {
        return handle(frame, InetAddress.getLoopbackAddress());
    }

    /** A request of Kafka's in its frame, without length; the response in the same form. The frame is free once this returns. */
    public CompletionStage<ByteBuffer> handle(ByteBuffer frame, InetAddress clientAddress) {
        ControllerRequests handler = requests;
        if (handler == null) {
            return CompletableFuture.failedFuture(new IllegalStateException("the control log is not started"));
        }
        try {
            return handler.handle(frame, clientAddress);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public void leaderIsGone(Leadership leadership) {
        ControllerRequests handler = requests;
        if (config.controller() && handler != null) {
            handler.endEpoch(leadership.leaderId(), leadership.epoch(), config.nodeId());
        }
    }

    /** Leads no longer when it returns, if it can say goodbye within 5 s; everything announced is on disk either way. */
    @Override
    public void close() {
        try {
            // In this order: each later one is used by those before
            driver.shutdown();
            expiration.close();
            channel.close();
            scheduler.shutdown();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.warn("closing the control log was interrupted");
        } finally {
            log.close();
            metrics.close();
            directory.close();
        }
    }

    private static List<InetSocketAddress> bootstrap(RaftConfig config) {
        List<String> servers =
                config.bootstrap().isEmpty() ? List.of(config.host() + ":" + config.port()) : config.bootstrap();
        return QuorumConfig.parseBootstrapServers(servers);
    }

    private static NetworkClient networkClient(RaftConfig config, Time time, LogContext logContext) {
        PlaintextChannelBuilder channels = new PlaintextChannelBuilder(listenerName(config));
        channels.configure(Map.of());
        // Metrics of their own: two selectors of one process would share names
        Selectable selector = new Selector(
                Selector.NO_IDLE_TIMEOUT_MS, new Metrics(time), time, "raft-channel", channels, logContext);
        return new NetworkClient(
                selector,
                new ManualMetadataUpdater(),
                "raft-client-" + config.nodeId(),
                1,
                RECONNECT_MS,
                RECONNECT_MS_MAX,
                -1,
                64 * 1024,
                config.requestTimeoutMs(),
                config.requestTimeoutMs(),
                config.requestTimeoutMs(),
                time,
                true,
                new ApiVersions(),
                logContext,
                MetadataRecoveryStrategy.NONE,
                BootstrapConfiguration.DISABLED,
                false);
    }

    private static AbstractConfig kafkaConfig(RaftConfig config) {
        org.apache.kafka.common.config.ConfigDef definition =
                new org.apache.kafka.common.config.ConfigDef(QuorumConfig.CONFIG_DEF);
        MetadataLogConfig.CONFIG_DEF.configKeys().values().forEach(definition::define);
        Map<String, Object> values = new HashMap<>();
        values.put(QuorumConfig.QUORUM_ELECTION_TIMEOUT_MS_CONFIG, config.electionTimeoutMs());
        values.put(QuorumConfig.QUORUM_ELECTION_BACKOFF_MAX_MS_CONFIG, config.electionTimeoutMs());
        values.put(QuorumConfig.QUORUM_FETCH_TIMEOUT_MS_CONFIG, config.fetchTimeoutMs());
        values.put(QuorumConfig.QUORUM_REQUEST_TIMEOUT_MS_CONFIG, config.requestTimeoutMs());
        values.put(QuorumConfig.QUORUM_LINGER_MS_CONFIG, 0);
        values.put(QuorumConfig.QUORUM_AUTO_JOIN_ENABLE_CONFIG, config.autoJoin());
        values.put(MetadataLogConfig.METADATA_LOG_SEGMENT_BYTES_CONFIG, config.segmentBytes());
        values.put(MetadataLogConfig.METADATA_MAX_RETENTION_BYTES_CONFIG, config.retentionBytes());
        return new AbstractConfig(definition, values, false);
    }

    private record Sink(SnapshotWriter<LogRecord> writer) implements SnapshotSink {
        @Override
        public void append(List<LogRecord> records) {
            writer.append(records);
        }

        @Override
        public long freeze() {
            return writer.freeze();
        }

        @Override
        public void close() {
            writer.close();
        }
    }
}
