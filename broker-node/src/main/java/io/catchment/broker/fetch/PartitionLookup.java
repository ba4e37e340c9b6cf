package io.catchment.broker.fetch;

import io.catchment.broker.leader.Leader;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.TopicState;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Finds partitions for requests, and says why one is not to be had here. Thread-safe; holds no state of its own. */
public final class PartitionLookup {
    private final PartitionDirectory partitions;
    private final Supplier<ClusterImage> image;

    public PartitionLookup(PartitionDirectory partitions, Supplier<ClusterImage> image) {
        this.partitions = partitions;
        this.image = image;
    }

    public ClusterImage image() {
        return image.get();
    }

    /** The serving partition on this node, or null: then ask {@link #missing}. By id unless that is {@link Uuid#ZERO_UUID}. */
    public @Nullable PartitionView serving(@Nullable String topic, Uuid topicId, int partition) {
        PartitionView view = null;
        if (!topicId.equals(Uuid.ZERO_UUID)) {
            view = partitions.find(topicId, partition);
        } else if (topic != null) {
            view = partitions.find(topic, partition);
        }
        return view != null && view.serving() ? view : null;
    }

    /** Kafka's error for a partition that this node does not serve. */
    public Errors missing(@Nullable String topic, Uuid topicId, int partition) {
        boolean byId = !topicId.equals(Uuid.ZERO_UUID);
        Optional<TopicState> state = topic(topic, topicId);
        if (state.isEmpty()) {
            return byId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION;
        }
        if (partition < 0 || partition >= state.get().streams().size()) {
            return Errors.UNKNOWN_TOPIC_OR_PARTITION;
        }
        return Errors.NOT_LEADER_OR_FOLLOWER;
    }

    /** The check of KIP-320: NONE, or whose epoch is behind. {@code requested} below 0 means the client does not say. */
    static Errors checkEpoch(PartitionView view, int requested) {
        if (requested < 0 || requested == view.leaderEpoch()) {
            return Errors.NONE;
        }
        return requested < view.leaderEpoch() ? Errors.FENCED_LEADER_EPOCH : Errors.UNKNOWN_LEADER_EPOCH;
    }

    /** As far as this node knows; asked for only when a request is refused. */
    public Leader leader(@Nullable String topic, Uuid topicId, int partition, String listener) {
        ClusterImage now = image.get();
        return topic(topic, topicId)
                .map(state -> Leader.of(now, state, partition, listener))
                .orElse(Leader.UNKNOWN);
    }

    private Optional<TopicState> topic(@Nullable String topic, Uuid topicId) {
        if (!topicId.equals(Uuid.ZERO_UUID)) {
            return image.get().topic(topicId);
        }
        return topic == null ? Optional.empty() : image.get().topic(topic);
    }
}
