package io.catchment.broker.share.state;

import io.catchment.broker.coordinatorlog.CoordinatorStateLoader;
import io.catchment.broker.coordinatorlog.DaemonTimer;
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
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.share.ShareCoordinator;
import org.apache.kafka.coordinator.share.ShareCoordinatorRecordSerde;
import org.apache.kafka.coordinator.share.ShareCoordinatorService;
import org.apache.kafka.coordinator.share.metrics.ShareCoordinatorMetrics;
import org.apache.kafka.coordinator.share.metrics.ShareCoordinatorRuntimeMetrics;
import org.jspecify.annotations.Nullable;

/**
 * Kafka's share coordinator on this node: it keeps the state of the share partitions whose {@code __share_group_state} partition this node owns.
 *
 * <p>The dialogue: construct it (that starts Kafka's threads, which are not daemons: {@link #close} it whatever happens); {@link #start} once the
 * image is complete; {@link #onImage} for each change; {@link #onPartitionOpened} once a partition of the topic serves, {@link #onPartitionClosed}
 * as soon as it does not. None of these blocks. Calls about one partition come in order; otherwise any thread may call.
 */
public final class ShareCoordinatorHost implements AutoCloseable {
    private enum Phase {
        NEW,
        STARTED,
        CLOSED
    }

    private final Metrics metrics = new Metrics();
    private final Tenures tenures;
    private final ShareStateTopic topic;
    private final ShareCoordinatorService service;
    private final ImageFeed images;

    /** Guards the phase and what waits for the start. */
    private final ReentrantLock lifecycle = new ReentrantLock();

    private final SortedMap<Integer, Integer> openedEarly = new TreeMap<>();
    private @Nullable ClusterImage seenEarly;
    private Phase phase = Phase.NEW;

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
        this.tenures = new Tenures(parts.partitions());
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
        this.images = new ImageFeed("share-state-image", service::onMetadataUpdate);
    }

    public ShareCoordinator coordinator() {
        return service;
    }

    public static boolean isOf(TopicPartition partition) {
        return partition.topic().equals(ShareStateTopic.NAME);
    }

    /** With an image that is complete. Partitions opened before are elected now. */
    public void start(ClusterImage image) {
        lifecycle.lock();
        try {
            if (phase != Phase.NEW) {
                throw new IllegalStateException("The share coordinator was started before");
            }
            service.startup(topic::partitions);
            // The control plane may have moved on between the caller's look at the image and this.
            images.begin(newest(image).metadata());
            phase = Phase.STARTED;
            seenEarly = null;
            openedEarly.forEach(service::onElection);
            openedEarly.clear();
        } finally {
            lifecycle.unlock();
        }
    }

    private ClusterImage newest(ClusterImage image) {
        return seenEarly != null && seenEarly.offset() > image.offset() ? seenEarly : image;
    }

    /** To be called on each change. Topics that are deleted have their state removed. */
    public void onImage(ImageDelta delta, ClusterImage image) {
        if (delta.topicsChanged()) {
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
            tenures.end(new TopicPartition(ShareStateTopic.NAME, partition));
            switch (phase) {
                case NEW -> openedEarly.remove(partition);
                case STARTED -> service.onResignation(partition, OptionalInt.empty());
                case CLOSED -> {}
            }
        } finally {
            lifecycle.unlock();
        }
    }

    /** Waits for the coordinator's threads to end. */
    @Override
    public void close() {
        lifecycle.lock();
        try {
            if (phase == Phase.CLOSED) {
                return;
            }
            if (phase == Phase.NEW) {
                // Kafka's service only shuts down what was started up.
                service.startup(topic::partitions);
            }
            phase = Phase.CLOSED;
        } finally {
            lifecycle.unlock();
        }
        images.close();
        service.shutdown();
        metrics.close();
    }
}
