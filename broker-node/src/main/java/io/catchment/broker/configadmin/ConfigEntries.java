package io.catchment.broker.configadmin;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsSynonym;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigType;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.ConfigSynonym;
import org.jspecify.annotations.Nullable;

/**
 * Describes single keys as DescribeConfigs wants them: the value, where it comes from, and all the other places it could come
 * from, in the order in which they count. Immutable.
 */
final class ConfigEntries {
    private final NodeSettings node;
    private final boolean withSynonyms;
    private final boolean withDocumentation;

    ConfigEntries(NodeSettings node, boolean withSynonyms, boolean withDocumentation) {
        this.node = node;
        this.withSynonyms = withSynonyms;
        this.withDocumentation = withDocumentation;
    }

    /**
     * A key that a resource may override.
     *
     * @param override what the resource sets, or null
     * @param synonyms the node's keys that give its default
     */
    DescribeConfigsResourceResult entry(
            ConfigKey key, @Nullable String override, ConfigSource overrideSource, List<ConfigSynonym> synonyms) {
        boolean sensitive = key.type.isSensitive();
        List<DescribeConfigsSynonym> sources = new ArrayList<>();
        String value = override;
        if (override != null) {
            sources.add(synonym(key.name, override, overrideSource, sensitive));
        }
        for (ConfigSynonym synonym : synonyms) {
            String written = node.written().get(synonym.name());
            if (written != null) {
                sources.add(synonym(synonym.name(), written, ConfigSource.STATIC_BROKER_CONFIG, sensitive));
                value = value == null ? synonym.converter().apply(written) : value;
            }
        }
        for (ConfigSynonym synonym : synonyms) {
            String preset = preset(synonym.name());
            if (preset != null) {
                // of synonyms that nobody has set Kafka names the first one only, and gives the value of the others all
                // the same
                if (synonym == synonyms.get(0)) {
                    sources.add(synonym(synonym.name(), preset, ConfigSource.DEFAULT_CONFIG, sensitive));
                }
                value = value == null ? synonym.converter().apply(preset) : value;
            }
        }
        if (value == null && key.hasDefault()) {
            value = ConfigDef.convertToString(key.defaultValue, key.type);
        }
        ConfigSource source = sources.isEmpty()
                ? ConfigSource.DEFAULT_CONFIG
                : ConfigSource.forId(sources.get(0).source());
        return result(key, value, source, sources, false);
    }

    /** A key of this node: what its file says, or the default. It changes with a restart only. */
    DescribeConfigsResourceResult nodeEntry(ConfigKey key) {
        boolean sensitive = key.type.isSensitive();
        List<DescribeConfigsSynonym> sources = new ArrayList<>();
        String written = node.written().get(key.name);
        String preset = key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null;
        if (written != null) {
            sources.add(synonym(key.name, written, ConfigSource.STATIC_BROKER_CONFIG, sensitive));
        }
        if (preset != null) {
            sources.add(synonym(key.name, preset, ConfigSource.DEFAULT_CONFIG, sensitive));
        }
        ConfigSource source = written != null ? ConfigSource.STATIC_BROKER_CONFIG : ConfigSource.DEFAULT_CONFIG;
        return result(key, written != null ? written : preset, source, sources, true);
    }

    private DescribeConfigsResourceResult result(
            ConfigKey key,
            @Nullable String value,
            ConfigSource source,
            List<DescribeConfigsSynonym> sources,
            boolean readOnly) {
        boolean sensitive = key.type.isSensitive();
        return new DescribeConfigsResourceResult()
                .setName(key.name)
                .setValue(sensitive ? null : value)
                .setConfigSource(source.id())
                .setIsSensitive(sensitive)
                .setReadOnly(readOnly)
                .setSynonyms(withSynonyms ? sources : List.of())
                .setConfigType(type(key.type).id())
                .setDocumentation(withDocumentation ? key.documentation : null);
    }

    /** The node's default of one of its keys: ours where we define it, else Kafka's. */
    private @Nullable String preset(String name) {
        ConfigKey key = node.keys().configKeys().get(name);
        if (key == null) {
            key = AbstractKafkaConfig.CONFIG_DEF.configKeys().get(name);
        }
        return key == null || !key.hasDefault() ? null : ConfigDef.convertToString(key.defaultValue, key.type);
    }

    private static DescribeConfigsSynonym synonym(String name, String value, ConfigSource source, boolean sensitive) {
        return new DescribeConfigsSynonym()
                .setName(name)
                .setValue(sensitive ? null : value)
                .setSource(source.id());
    }

    private static ConfigType type(ConfigDef.Type type) {
        return switch (type) {
            case BOOLEAN -> ConfigType.BOOLEAN;
            case STRING -> ConfigType.STRING;
            case INT -> ConfigType.INT;
            case SHORT -> ConfigType.SHORT;
            case LONG -> ConfigType.LONG;
            case DOUBLE -> ConfigType.DOUBLE;
            case LIST -> ConfigType.LIST;
            case CLASS -> ConfigType.CLASS;
            case PASSWORD -> ConfigType.PASSWORD;
        };
    }
}
