package io.catchment.broker.configadmin;

import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;

/**
 * The node's own configuration as DescribeConfigs shows it.
 *
 * @param keys all keys a node knows
 * @param written the keys its file sets
 */
public record NodeSettings(int nodeId, ConfigDef keys, Map<String, String> written) {
    public NodeSettings {
        written = Map.copyOf(written);
    }
}
