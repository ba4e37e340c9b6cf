package io.catchment.broker.share.state;

import io.catchment.controlplane.Command.CreateTopic;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.coordinator.share.ShareCoordinatorConfig;

/** Settings of the share coordinator, by Kafka's names and with Kafka's defaults. Immutable. */
public record ShareStateSettings(ShareCoordinatorConfig coordinator) {

    /** The keys this component understands, to be merged into the node's own definition. */
    public static ConfigDef definition() {
        return new ConfigDef(ShareCoordinatorConfig.CONFIG_DEF);
    }

    /** Reads its keys out of a node's properties; others are ignored. Throws ConfigException for a bad value. */
    public static ShareStateSettings of(Map<String, ?> nodeProperties) {
        return new ShareStateSettings(
                new ShareCoordinatorConfig(new AbstractConfig(definition(), nodeProperties, false)));
    }

    /** As Kafka has it (KIP-932): never compacted, but cut where nothing is needed any more. */
    public CreateTopic topic() {
        return new CreateTopic(
                Topic.SHARE_GROUP_STATE_TOPIC_NAME,
                coordinator.shareCoordinatorStateTopicNumPartitions(),
                coordinator.shareCoordinatorStateTopicReplicationFactor(),
                Map.of(
                        TopicConfig.CLEANUP_POLICY_CONFIG,
                        TopicConfig.CLEANUP_POLICY_DELETE,
                        TopicConfig.COMPRESSION_TYPE_CONFIG,
                        "producer",
                        TopicConfig.SEGMENT_BYTES_CONFIG,
                        Integer.toString(coordinator.shareCoordinatorStateTopicSegmentBytes()),
                        TopicConfig.RETENTION_MS_CONFIG,
                        "-1"));
    }
}
