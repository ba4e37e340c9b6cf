package io.catchment.broker.group;

import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Settings of the group coordinator, by Kafka's names and with Kafka's defaults.
 *
 * @param maxBatchBytes largest batch that the coordinator writes, unless {@code __consumer_offsets} says otherwise
 */
public record GroupSettings(GroupCoordinatorConfig coordinator, ShareGroupConfig share, int maxBatchBytes) {
    /** Of the whole node; the one key used here that belongs to the log. */
    private static final String MESSAGE_MAX_BYTES = "message.max.bytes";

    public GroupSettings {
        if (maxBatchBytes <= 0) {
            throw new ConfigException(MESSAGE_MAX_BYTES, maxBatchBytes, "must be positive");
        }
    }

    /** The keys this component understands, to be merged into the node's own definition. */
    public static ConfigDef definition() {
        ConfigDef merged = new ConfigDef(GroupCoordinatorConfig.CONFIG_DEF);
        ShareGroupConfig.CONFIG_DEF.configKeys().values().forEach(merged::define);
        return merged;
    }

    /** Reads its keys out of a node's properties; others are ignored. Throws ConfigException for a bad value. */
    public static GroupSettings of(Map<String, ?> nodeProperties) {
        // Kafka's share settings check themselves against those of the group coordinator, so both are read from one
        // definition.
        AbstractConfig config = new AbstractConfig(definition(), nodeProperties, false);
        ConfigDef log = new ConfigDef()
                .define(
                        MESSAGE_MAX_BYTES,
                        ConfigDef.Type.INT,
                        new LogConfig(Map.of()).maxMessageSize(),
                        ConfigDef.Importance.HIGH,
                        "");
        return new GroupSettings(
                new GroupCoordinatorConfig(config),
                new ShareGroupConfig(config),
                new AbstractConfig(log, nodeProperties, false).getInt(MESSAGE_MAX_BYTES));
    }
}
