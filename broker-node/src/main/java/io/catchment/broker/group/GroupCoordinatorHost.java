package io.catchment.broker.group;

import com.yammer.metrics.core.MetricsRegistry;
import io.catchment.broker.coordinatorlog.CoordinatorStateLoader;
import io.catchment.broker.coordinatorlog.CoordinatorTopic;
import io.catchment.broker.coordinatorlog.DaemonTimer;
import io.catchment.broker.coordinatorlog.HostedCoordinator;
import io.catchment.broker.coordinatorlog.ImageFeed;
import io.catchment.broker.coordinatorlog.LogTopicConfig;
import io.catchment.broker.coordinatorlog.StreamPartitionWriter;
import io.catchment.broker.coordinatorlog.Tenures;
import io.catchment.broker.partition.InternalLog;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.StreamReader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ImageDelta;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.group.GroupConfigManager;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.coordinator.group.GroupCoordinatorService;
import org.apache.kafka.coordinator.group.metrics.GroupCoordinatorMetrics;
import org.apache.kafka.coordinator.group.metrics.GroupCoordinatorRuntimeMetrics;
import org.apache.kafka.server.share.persister.Persister;
import org.apache.kafka.server.util.PartitionMetadataClient;

/**
 * Kafka's group coordinator on this node: it leads the groups whose {@code __consumer_offsets} partition this node owns.
 *
 * <p>The dialogue: construct it (that starts Kafka's threads, which are not daemons: {@link #close} it whatever happens);
 * {@link #start} with the first image that is complete, which also settles how many partitions groups are spread over; then
 * {@link #onImage} for each change, {@link #onPartitionOpened} once a partition of the topic serves (its acknowledged end is
 * known and readable), {@link #onPartitionClosed} as soon as it does not. Partitions opened before the start are elected at the
 * start. None of these blocks. Calls about one partition come in order; otherwise any thread may call.
 *
 * <p>Requests for a group whose partition is not open here are answered NOT_COORDINATOR by the coordinator itself, those during
 * its load COORDINATOR_LOAD_IN_PROGRESS, all before the start and after the end COORDINATOR_NOT_AVAILABLE.
 */
public final class GroupCoordinatorHost implements AutoCloseable {
    private static final String TOPIC = Topic.GROUP_METADATA_TOPIC_NAME;

    private final Metrics metrics = new Metrics();
    private final MetricsRegistry gauges = new MetricsRegistry();
    private final GroupSettings settings;
    private final GroupConfigManager groupConfigs;
    private final GroupCoordinatorService service;
    private final HostedCoordinator hosted;
    private final OffsetsTopic topic;

    /**
     * @param persister where the state of share groups' partitions is kept
     * @param endOffsets of partitions anywhere in the cluster, for the lag of share groups
     */
    public GroupCoordinatorHost(
            int nodeId,
            GroupSettings settings,
            Supplier<ClusterImage> image,
            CoordinatorTopic.Creator creator,
            InternalLog log,
            PartitionDirectory partitions,
            StreamReader reader,
            Persister persister,
            PartitionMetadataClient endOffsets,
            Time time) {
        this.settings = settings;
        Tenures tenures = new Tenures(partitions);
        this.groupConfigs = new GroupConfigManager(settings.coordinator(), settings.share());
        this.service = new GroupCoordinatorService.Builder(nodeId, settings.coordinator())
                .withWriter(new StreamPartitionWriter(
                        log,
                        tenures,
                        new LogTopicConfig(TOPIC, image, settings.maxBatchBytes()),
                        settings.coordinator().offsetCommitTimeoutMs(),
                        GroupCoordinatorHost::neverDelete))
                .withLoader(new CoordinatorStateLoader(
                        "group-state-load",
                        tenures,
                        new GroupCoordinatorRecordSerde(),
                        reader,
                        time,
                        settings.coordinator().offsetsLoadBufferSize()))
                .withTime(time)
                .withTimer(new DaemonTimer("group-timer"))
                .withCoordinatorRuntimeMetrics(new GroupCoordinatorRuntimeMetrics(metrics))
                .withGroupCoordinatorMetrics(new GroupCoordinatorMetrics(gauges, metrics))
                .withGroupConfigManager(groupConfigs)
                .withPersister(persister)
                .withAuthorizerPlugin(Optional.empty())
                .withPartitionMetadataClient(endOffsets)
                .build();
        GroupConfigs configs = new GroupConfigs(service);
        this.hosted = new HostedCoordinator(
                TOPIC,
                tenures,
                new HostedCoordinator.Service(
                        service::startup, service::onElection, service::onResignation, service::shutdown),
                new ImageFeed("group-image", (delta, newest) -> {
                    configs.apply(newest.configs());
                    service.onMetadataUpdate(delta, newest);
                }));
        this.topic = new OffsetsTopic(service, image, creator, settings);
    }

    public GroupCoordinator coordinator() {
        return service;
    }

    /** What single groups are configured to; follows the image. */
    public GroupConfigManager groupConfigs() {
        return groupConfigs;
    }

    public OffsetsTopic offsetsTopic() {
        return topic;
    }

    private static CompletionStage<Void> neverDelete(PartitionView partition, long offset) {
        return CompletableFuture.failedFuture(
                new UnsupportedVersionException(partition.topicPartition() + " is compacted, not cut"));
    }

    /** Groups by state, offsets, event queue, load times. */
    public MeterBinder meters() {
        return new GroupMeters(metrics);
    }

    public void start(ClusterImage image) {
        hosted.start(image, () -> image.topic(TOPIC)
                .map(state -> state.streams().size())
                .orElse(settings.coordinator().offsetsTopicPartitions()));
    }

    /** To be called on each change. Racks of nodes and configs of groups matter here, as do topics. */
    public void onImage(ImageDelta delta, ClusterImage image) {
        if (delta.topicsChanged() || delta.configsChanged() || delta.nodesChanged()) {
            hosted.onImage(delta, image);
        }
    }

    public void onPartitionOpened(int partition, int leaderEpoch) {
        hosted.onPartitionOpened(partition, leaderEpoch);
    }

    /** Ownership was lost, given up, or the topic deleted: what the coordinator still wants to write is refused from here on. */
    public void onPartitionClosed(int partition) {
        hosted.onPartitionClosed(partition);
    }

    /** Waits for the coordinator's threads to end. Requests under way are answered with errors that send clients elsewhere. */
    @Override
    public void close() {
        hosted.close();
        gauges.shutdown();
        metrics.close();
    }
}
