package io.catchment.broker.topicadmin;

import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;

/** How topics are created when the request does not say, by Kafka's names for these keys. */
public record TopicAdminConfig(
        int numPartitions,
        short defaultReplicationFactor,
        boolean autoCreateTopics,
        boolean deleteTopics,
        int offsetsTopicPartitions,
        int offsetsTopicSegmentBytes) {

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
                    1,
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
                    "Allow topics to be deleted.")
            .define(
                    "offsets.topic.num.partitions",
                    ConfigDef.Type.INT,
                    50,
                    Range.atLeast(1),
                    Importance.LOW,
                    "Partitions of __consumer_offsets. Not to be changed once it exists.")
            .define(
                    "offsets.topic.segment.bytes",
                    ConfigDef.Type.INT,
                    100 * 1024 * 1024,
                    Range.atLeast(1 << 20),
                    Importance.LOW,
                    "segment.bytes of __consumer_offsets.");

    /** The keys with their documentation, for the node's configuration. */
    public static ConfigDef keys() {
        return new ConfigDef(KEYS);
    }

    /** @throws org.apache.kafka.common.config.ConfigException if a value is invalid; other keys are ignored */
    public static TopicAdminConfig of(Map<String, String> nodeProperties) {
        Map<String, Object> values = KEYS.parse(nodeProperties);
        return new TopicAdminConfig(
                number(values, "num.partitions"),
                (short) number(values, "default.replication.factor"),
                flag(values, "auto.create.topics.enable"),
                flag(values, "delete.topic.enable"),
                number(values, "offsets.topic.num.partitions"),
                number(values, "offsets.topic.segment.bytes"));
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
