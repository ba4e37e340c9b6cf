package io.catchment.broker.group;

import io.catchment.broker.coordinatorlog.CoordinatorTopic;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command.CreateTopic;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/**
 * Where groups live: {@code __consumer_offsets}, created when somebody first looks for a coordinator (as Kafka does), and
 * which node serves a group. Thread-safe.
 */
public final class OffsetsTopic {
    private static final String NAME = Topic.GROUP_METADATA_TOPIC_NAME;

    private final GroupCoordinator coordinator;
    private final GroupSettings settings;
    private final CoordinatorTopic topic;

    OffsetsTopic(
            GroupCoordinator coordinator,
            Supplier<ClusterImage> image,
            CoordinatorTopic.Creator creator,
            GroupSettings settings) {
        this.coordinator = coordinator;
        this.settings = settings;
        this.topic = new CoordinatorTopic(NAME, image, creator, this::wanted);
    }

    /**
     * The node that coordinates the group, with its address on the listener; empty when nobody does yet. Then the topic is
     * being created, or its partition has no leader: worth another try later. Throws CoordinatorNotAvailableException while
     * this node's coordinator is not running.
     */
    public Optional<Node> coordinatorOf(String group, String listener) {
        return topic.leaderOf(coordinator.partitionFor(group), listener);
    }

    private CreateTopic wanted() {
        Map<String, String> configs = new TreeMap<>();
        coordinator
                .groupMetadataTopicConfigs()
                .forEach((key, value) -> configs.put(String.valueOf(key), String.valueOf(value)));
        return new CreateTopic(
                NAME,
                settings.coordinator().offsetsTopicPartitions(),
                settings.coordinator().offsetsTopicReplicationFactor(),
                configs);
    }
}
