package io.catchment.broker.share.state;

import io.catchment.broker.coordinatorlog.CoordinatorStateLoader;
import io.catchment.broker.coordinatorlog.DaemonTimer;
import io.catchment.broker.coordinatorlog.HostedCoordinator;
import io.catchment.broker.coordinatorlog.ImageFeed;
import io.catchment.broker.coordinatorlog.LogTopicConfig;
import io.catchment.broker.coordinatorlog.StreamPartitionWriter;
import io.catchment.broker.coordinatorlog.StreamPartitionWriter.RecordDeletion;
import io.catchment.broker.coordinatorlog.Tenures;
import io.catchment.broker.partition.InternalLog;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.read.StreamReader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ImageDelta;
import java.util.function.Supplier;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.share.ShareCoordinator;
import org.apache.kafka.coordinator.share.ShareCoordinatorRecordSerde;
import org.apache.kafka.coordinator.share.ShareCoordinatorService;
import org.apache.kafka.coordinator.share.metrics.ShareCoordinatorMetrics;
import org.apache.kafka.coordinator.share.metrics.ShareCoordinatorRuntimeMetrics;

/**
 * Kafka's share coordinator on this node: it keeps the state of the share partitions whose {@code __share_group_state} partition this node owns.
 *
 * <p>The dialogue: construct it (that starts Kafka's threads, which are not daemons: {@link #close} it whatever happens); {@link #start} once the
 * image is complete; {@link #onImage} for each change; {@link #onPartitionOpened} once a partition of the topic serves, {@link #onPartitionClosed}
 * as soon as it does not. None of these blocks. Calls about one partition come in order; otherwise any thread may call.
 */
public final class ShareCoordinatorHost implements AutoCloseable {
    private final Metrics metrics = new Metrics();
    private final ShareStateTopic topic;
    private final ShareCoordinatorService service;
    private final HostedCoordinator hosted;

    /** What it is wired to. */
    public record Parts(
            ShareStateTopic topic,
            Supplier<ClusterImage> image,
            InternalLog log,
            PartitionDirectory partitions,
            StreamReader reader,
            RecordDeletion deletion,
            int maxBatchBytes,
            Time time) {}

    public ShareCoordinatorHost(int nodeId, ShareStateSettings settings, Parts parts) {
        this.topic = parts.topic();
        Tenures tenures = new Tenures(parts.partitions());
        this.service = new ShareCoordinatorService.Builder(nodeId, settings.coordinator())
                .withWriter(new StreamPartitionWriter(
                        parts.log(),
                        tenures,
                        new LogTopicConfig(ShareStateTopic.NAME, parts.image(), parts.maxBatchBytes()),
                        settings.coordinator().shareCoordinatorWriteTimeoutMs(),
                        parts.deletion()))
                .withLoader(new CoordinatorStateLoader(
                        "share-state-load",
                        tenures,
                        new ShareCoordinatorRecordSerde(),
                        parts.reader(),
                        parts.time(),
                        settings.coordinator().shareCoordinatorLoadBufferSize()))
                .withTime(parts.time())
                .withTimer(new DaemonTimer("share-state-timer"))
                .withCoordinatorRuntimeMetrics(new ShareCoordinatorRuntimeMetrics(metrics))
                .withCoordinatorMetrics(new ShareCoordinatorMetrics(metrics))
                .build();
        this.hosted = new HostedCoordinator(
                ShareStateTopic.NAME,
                tenures,
                new HostedCoordinator.Service(
                        service::startup, service::onElection, service::onResignation, service::shutdown),
                new ImageFeed("share-state-image", service::onMetadataUpdate));
    }

    public ShareCoordinator coordinator() {
        return service;
    }

    /** With an image that is complete. Partitions opened before are elected now. */
    public void start(ClusterImage image) {
        hosted.start(image, topic::partitions);
    }

    /** To be called on each change. Topics that are deleted have their state removed. */
    public void onImage(ImageDelta delta, ClusterImage image) {
        if (delta.topicsChanged()) {
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

    /** Waits for the coordinator's threads to end. */
    @Override
    public void close() {
        hosted.close();
        metrics.close();
    }
}
