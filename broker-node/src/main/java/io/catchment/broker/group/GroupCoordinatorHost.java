package io.catchment.broker.group;

import com.yammer.metrics.core.MetricsRegistry;
import io.catchment.broker.coordinatorlog.CoordinatorStateLoader;
import io.catchment.broker.coordinatorlog.CoordinatorTopic;
import io.catchment.broker.coordinatorlog.DaemonTimer;
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
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
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
import org.jspecify.annotations.Nullable;

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

    private enum Phase {
        NEW,
        STARTED,
        CLOSED
    }

    private final Metrics metrics = new Metrics();
    private final MetricsRegistry gauges = new MetricsRegistry();
    private final GroupSettings settings;
    private final Tenures tenures;
    private final GroupConfigManager groupConfigs;
    private final GroupCoordinatorService service;
    private final ImageFeed images;
    private final OffsetsTopic topic;

    /** Guards the phase and what waits for the start. */
    private final ReentrantLock lifecycle = new ReentrantLock();

    private final SortedMap<Integer, Integer> openedEarly = new TreeMap<>();
    private @Nullable ClusterImage seenEarly;
    private Phase phase = Phase.NEW;

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
        this.tenures = new Tenures(partitions);
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
        this.images = new ImageFeed("group-image", (delta, newest) -> {
            configs.apply(newest.configs());
            service.onMetadataUpdate(delta, newest);
        });
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
        lifecycle.lock();
        try {
            if (phase != Phase.NEW) {
                throw new IllegalStateException("The group coordinator was started before");
            }
            service.startup(() -> image.topic(TOPIC)
                    .map(state -> state.streams().size())
                    .orElse(settings.coordinator().offsetsTopicPartitions()));
            // The control plane may have moved on between the caller's look at the image and this.
            images.begin(newest(image).metadata());
            phase = Phase.STARTED;
            openedEarly.forEach(service::onElection);
            openedEarly.clear();
            seenEarly = null;
        } finally {
            lifecycle.unlock();
        }
    }

    private ClusterImage newest(ClusterImage image) {
        return seenEarly != null && seenEarly.offset() > image.offset() ? seenEarly : image;
    }

    /** To be called on each change. Racks of nodes and configs of groups matter here, as do topics. */
    public void onImage(ImageDelta delta, ClusterImage image) {
        if (delta.topicsChanged() || delta.configsChanged() || delta.nodesChanged()) {
            lifecycle.lock();
            try {
                switch (phase) {
                    case NEW -> seenEarly = image;
                    case STARTED -> images.offer(delta.metadata(), image.metadata());
                    case CLOSED -> {}
                }
            } finally {
                lifecycle.unlock();
            }
        }
    }

    public void onPartitionOpened(int partition, int leaderEpoch) {
        lifecycle.lock();
        try {
            switch (phase) {
                case NEW -> openedEarly.put(partition, leaderEpoch);
                case STARTED -> service.onElection(partition, leaderEpoch);
                case CLOSED -> {}
            }
        } finally {
            lifecycle.unlock();
        }
    }

    /** Ownership was lost, given up, or the topic deleted: what the coordinator still wants to write is refused from here on. */
    public void onPartitionClosed(int partition) {
        lifecycle.lock();
        try {
            tenures.end(new TopicPartition(TOPIC, partition));
            switch (phase) {
                case NEW -> openedEarly.remove(partition);
                case STARTED -> service.onResignation(partition, OptionalInt.empty());
                case CLOSED -> {}
            }
        } finally {
            lifecycle.unlock();
        }
    }

    /** Waits for the coordinator's threads to end. Requests under way are answered with errors that send clients elsewhere. */
    @Override
    public void close() {
        lifecycle.lock();
        try {
            if (phase == Phase.CLOSED) {
                return;
            }
            if (phase == Phase.NEW) {
                // Kafka's service only shuts down what was started up.
                service.startup(settings.coordinator()::offsetsTopicPartitions);
            }
            phase = Phase.CLOSED;
        } finally {
            lifecycle.unlock();
        }
        images.close();
        service.shutdown();
        gauges.shutdown();
        metrics.close();
    }
}
