package io.catchment.broker.configadmin;

import io.catchment.broker.topic.TopicSchema;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;

/** A node 1 with a few keys of its own, that sets retention, a group limit and a password. */
final class TestConfigs {
    static final Map<String, String> WRITTEN = Map.of(
            "log.retention.hours",
            "2",
            "group.consumer.session.timeout.ms",
            "46000",
            "keystore.password",
            "secret",
            "num.partitions",
            "3");

    private TestConfigs() {}

    static NodeSettings node() {
        ConfigDef keys = new ConfigDef()
                .define("num.partitions", ConfigDef.Type.INT, 1, ConfigDef.Importance.MEDIUM, "Partitions.")
                .define("keystore.password", ConfigDef.Type.PASSWORD, null, ConfigDef.Importance.MEDIUM, "Password.")
                .define("node.zone", ConfigDef.Type.STRING, "here", ConfigDef.Importance.MEDIUM, "Zone.");
        return new NodeSettings(1, keys, WRITTEN);
    }

    static TopicSchema topics() {
        return new TopicSchema(WRITTEN);
    }

    static GroupSchema groups() {
        ConfigDef keys = new ConfigDef(GroupCoordinatorConfig.CONFIG_DEF);
        ShareGroupConfig.CONFIG_DEF.configKeys().values().forEach(keys::define);
        AbstractConfig parsed = new AbstractConfig(keys, WRITTEN, false);
        return new GroupSchema(new GroupCoordinatorConfig(parsed), new ShareGroupConfig(parsed));
    }
}
