package io.catchment.broker.share.state;

import io.catchment.broker.coordinatorlog.CoordinatorTopic;
import io.catchment.controlplane.ClusterImage;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.server.share.SharePartitionKey;

/** Where the state of share partitions lives, {@code __share_group_state}, and which node keeps that of one. Thread-safe. */
public final class ShareStateTopic {
    static final String NAME = Topic.SHARE_GROUP_STATE_TOPIC_NAME;

    private final CoordinatorTopic topic;

    /** @param creator asks the control plane for a topic; must not block */
    public ShareStateTopic(
            Supplier<ClusterImage> image, CoordinatorTopic.Creator creator, ShareStateSettings settings) {
        this.topic = new CoordinatorTopic(NAME, image, creator, settings::topic);
    }

    boolean exists() {
        return topic.state().isPresent();
    }

    int partitions() {
        return topic.partitions();
    }

    /**
     * By a share partition's key as FindCoordinator has it, {@code group:topic id:partition}. The node with its address on the listener; empty
     * when nobody does yet: worth another try later.
     *
     * @throws InvalidRequestException when it is no such key
     */
    public Optional<Node> coordinatorOf(String key, String listener) {
        try {
            SharePartitionKey.validate(key);
        } catch (IllegalArgumentException e) {
            throw new InvalidRequestException("Not the key of a share partition: " + e.getMessage());
        }
        return coordinatorOf(SharePartitionKey.getInstance(key), listener);
    }

    Optional<Node> coordinatorOf(SharePartitionKey key, String listener) {
        return topic.leaderOf(topic.partitionOf(key.asCoordinatorKey()), listener);
    }
}
