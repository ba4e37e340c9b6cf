package io.catchment.broker.topicadmin;

import io.catchment.controlplane.Command.CreateTopic;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;

/**
 * How topics are created when the request does not say, by Kafka's names for these keys.
 *
 * @param offsetsTopic how __consumer_offsets is created when a client asks for it
 */
public record TopicAdminConfig(
        int numPartitions,
        short defaultReplicationFactor,
        boolean autoCreateTopics,
        boolean deleteTopics,
        CreateTopic offsetsTopic) {

    private static final ConfigDef KEYS = new ConfigDef()
            .define(
                    "num.partitions",
                    ConfigDef.Type.INT,
                    1,
                    Range.atLeast(1),
                    Importance.MEDIUM,
                    "Partitions of a topic whose creation names no number, and of topics created automatically.")
            .define(
                    "default.replication.factor",
                    ConfigDef.Type.SHORT,
                    (short) 1,
                    Range.atLeast(1),
                    Importance.LOW,
                    "Replication factor reported for topics whose creation names none. Records are replicated by the write-ahead"
                            + " log and the object store, whatever it is.")
            .define(
                    "auto.create.topics.enable",
                    ConfigDef.Type.BOOLEAN,
                    true,
                    Importance.MEDIUM,
                    "Create a topic when a client asks for its metadata (and does not forbid it).")
            .define(
                    "delete.topic.enable",
                    ConfigDef.Type.BOOLEAN,
                    true,
                    Importance.MEDIUM,
                    "Allow topics to be deleted.");

    /** The keys with their documentation, for the node's configuration. */
    public static ConfigDef keys() {
        return new ConfigDef(KEYS);
    }

    /** @throws org.apache.kafka.common.config.ConfigException if a value is invalid; other keys are ignored */
    public static TopicAdminConfig of(Map<String, String> nodeProperties, GroupCoordinatorConfig groups) {
        Map<String, Object> values = KEYS.parse(nodeProperties);
        return new TopicAdminConfig(
                number(values, "num.partitions"),
                (short) number(values, "default.replication.factor"),
                flag(values, "auto.create.topics.enable"),
                flag(values, "delete.topic.enable"),
                new CreateTopic(
                        Topic.GROUP_METADATA_TOPIC_NAME,
                        groups.offsetsTopicPartitions(),
                        groups.offsetsTopicReplicationFactor(),
                        Map.of(
                                "cleanup.policy",
                                "compact",
                                "compression.type",
                                "producer",
                                "segment.bytes",
                                Integer.toString(groups.offsetsTopicSegmentBytes()))));
    }

    private static int number(Map<String, Object> values, String key) {
        if (values.get(key) instanceof Number number) {
            return number.intValue();
        }
        throw new IllegalStateException("No number for " + key);
    }

    private static boolean flag(Map<String, Object> values, String key) {
        return Boolean.TRUE.equals(values.get(key));
    }
}
