package io.catchment.broker.topicadmin;

import io.catchment.controlplane.Command.CreateTopic;
import java.util.Map;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;

/**
 * How topics are created when the request does not say.
 *
 * @param numPartitions num.partitions
 * @param defaultReplicationFactor default.replication.factor: only reported, records are replicated by the WAL
 * @param autoCreateTopics auto.create.topics.enable
 * @param offsetsTopic how __consumer_offsets is created when a client asks for its metadata
 * @param transactionTopic the same for __transaction_state
 * @param shareStateTopic the same for __share_group_state
 */
public record TopicAdminConfig(
        int numPartitions,
        short defaultReplicationFactor,
        boolean autoCreateTopics,
        CreateTopic offsetsTopic,
        CreateTopic transactionTopic,
        CreateTopic shareStateTopic) {

    public TopicAdminConfig {
        if (numPartitions < 1 || defaultReplicationFactor < 1) {
            throw new IllegalArgumentException(
                    "Topics need a partition and a replica: " + numPartitions + ", " + defaultReplicationFactor);
        }
    }

    /** As Kafka's group coordinator wants its topic. */
    public static CreateTopic offsetsTopic(GroupCoordinatorConfig groups) {
        return new CreateTopic(
                Topic.GROUP_METADATA_TOPIC_NAME,
                groups.offsetsTopicPartitions(),
                groups.offsetsTopicReplicationFactor(),
                Map.of(
                        "cleanup.policy",
                        "compact",
                        "compression.type",
                        "producer",
                        "segment.bytes",
                        Integer.toString(groups.offsetsTopicSegmentBytes())));
    }
}
