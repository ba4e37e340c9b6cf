package io.catchment.broker.transaction;

import io.catchment.broker.coordinatorlog.CoordinatorTopic;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command.CreateTopic;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.internals.Topic;

/**
 * Where transactions live: {@code __transaction_state}, created when somebody first looks for a coordinator (as Kafka does), and which node
 * coordinates an id. Thread-safe.
 */
public final class TransactionTopic {
    static final String NAME = Topic.TRANSACTION_STATE_TOPIC_NAME;

    private final CoordinatorTopic topic;

    /** @param creator asks the control plane for a topic; must not block */
    public TransactionTopic(
            Supplier<ClusterImage> image, CoordinatorTopic.Creator creator, TransactionSettings settings) {
        CreateTopic wanted = topic(settings);
        this.topic = new CoordinatorTopic(NAME, image, creator, () -> wanted);
    }

    /** As Kafka has it. */
    public static CreateTopic topic(TransactionSettings settings) {
        return new CreateTopic(
                NAME,
                settings.partitions(),
                settings.replicationFactor(),
                Map.of(
                        "cleanup.policy",
                        "compact",
                        "compression.type",
                        "uncompressed",
                        "segment.bytes",
                        Integer.toString(settings.segmentBytes())));
    }

    int partitionOf(String transactionalId) {
        return topic.partitionOf(transactionalId);
    }

    /**
     * The node that coordinates the id, with its address on the listener; empty when nobody does yet. Then the topic is being created, or its
     * partition has no leader: worth another try later.
     */
    public Optional<Node> coordinatorOf(String transactionalId, String listener) {
        return topic.leaderOf(topic.partitionOf(transactionalId), listener);
    }
}
