package io.catchment.broker.topic;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.metadata.KafkaConfigSchema;
import org.apache.kafka.server.config.ConfigSynonym;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * The configuration keys a topic may have (Kafka's, and {@code catchment.*}), with this node's defaults for them. Immutable.
 *
 * <p>The node sets defaults by Kafka's names for them ({@code log.retention.hours}, {@code message.max.bytes}, …), with
 * Kafka's order among synonyms.
 */
public final class TopicSchema {
    /** Keys of our own. Kafka's tools show them among the topic's. */
    private static final ConfigDef OWN = new ConfigDef()
            .define(
                    TopicConfig.PRIORITY,
                    ConfigDef.Type.STRING,
                    TopicConfig.PRIORITY_DEFAULT,
                    ConfigDef.ValidString.in("urgent", "normal", "bulk"),
                    ConfigDef.Importance.HIGH,
                    "The topic's class: <code>urgent</code>, <code>normal</code> or <code>bulk</code>. Classes have write-ahead"
                            + " logs of their own and are admitted, flushed and read back in this order, so that a backlog"
                            + " of one does not delay another.")
            .define(
                    TopicConfig.RETENTION_TIME_SOURCE,
                    ConfigDef.Type.STRING,
                    TopicConfig.RETENTION_TIME_SOURCE_DEFAULT,
                    ConfigDef.ValidString.in(TopicConfig.RETENTION_TIME_SOURCE_DEFAULT, TopicConfig.BY_EVENT_TIME),
                    ConfigDef.Importance.MEDIUM,
                    "From when on <code>retention.ms</code> counts: the <code>arrival</code> of records at this cluster, or their own"
                            + " timestamps (<code>event</code>), which is Kafka's way and deletes a late backlog when it arrives.");

    private final Map<String, String> nodeProperties;
    private final ConfigDef keys;
    private final KafkaConfigSchema schema;
    private final Map<String, String> logDefaults;

    /**
     * @param nodeProperties the node's configuration as written; keys that are no topic defaults are ignored
     * @throws org.apache.kafka.common.config.ConfigException if a default is not a valid value
     */
    public TopicSchema(Map<String, String> nodeProperties) {
        this.nodeProperties = Map.copyOf(nodeProperties);
        this.keys = new ConfigDef(LogConfig.configDefCopy());
        OWN.configKeys().values().forEach(keys::define);
        this.schema = new KafkaConfigSchema(Map.of(ConfigResource.Type.TOPIC, keys), synonyms());
        this.logDefaults = nodeDefaults();
        LogConfig.validateBrokerLogConfigValues(LogConfig.configDefCopy().parse(logDefaults), false);
    }

    public ConfigDef keys() {
        return keys;
    }

    /** Every key's effective value and where it comes from, by name; sensitive values are in the clear. */
    public Map<String, ConfigEntry> effective(Map<String, String> overrides) {
        return new TreeMap<>(schema.resolveEffectiveTopicConfigs(nodeProperties, Map.of(), Map.of(), overrides));
    }

    /** One key of {@link #effective}. */
    public ConfigEntry effective(String key, Map<String, String> overrides) {
        return schema.resolveEffectiveTopicConfig(key, nodeProperties, Map.of(), Map.of(), overrides);
    }

    /** The node's names for a topic key, the first that is set counts; empty if the node has none. */
    public static List<ConfigSynonym> synonyms(String key) {
        return synonyms().getOrDefault(key, List.of());
    }

    /**
     * @param existing the topic's keys before the change
     * @param overrides the topic's keys after it
     * @throws org.apache.kafka.common.config.ConfigException or
     *     {@link org.apache.kafka.common.errors.InvalidConfigurationException} with what is wrong
     */
    public void validate(Map<String, String> existing, Map<String, String> overrides) {
        Map<String, String> kafkas = new LinkedHashMap<>(overrides);
        Map<String, String> own = new HashMap<>();
        for (String name : OWN.names()) {
            String value = kafkas.remove(name);
            if (value != null) {
                own.put(name, value);
            }
        }
        LogConfig.validate(existing, kafkas, logDefaults, false);
        OWN.parse(own);
    }

    /** @throws org.apache.kafka.common.config.ConfigException if a value is invalid */
    TopicConfig resolve(Map<String, String> overrides) {
        Properties properties = new Properties();
        properties.putAll(overrides);
        return TopicConfig.of(
                LogConfig.fromProps(logDefaults, properties),
                effective(TopicConfig.PRIORITY, overrides).value(),
                effective(TopicConfig.RETENTION_TIME_SOURCE, overrides).value());
    }

    /** What the node sets, by topic key. Keys without a value (internal ones) are left out. */
    private Map<String, String> nodeDefaults() {
        Map<String, String> defaults = new HashMap<>();
        schema.resolveEffectiveTopicConfigs(nodeProperties, Map.of(), Map.of(), Map.of())
                .forEach((key, entry) -> {
                    if (!OWN.configKeys().containsKey(key) && entry.value() != null) {
                        defaults.put(key, entry.value());
                    }
                });
        return Map.copyOf(defaults);
    }

    private static Map<String, List<ConfigSynonym>> synonyms() {
        return ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS;
    }
}
