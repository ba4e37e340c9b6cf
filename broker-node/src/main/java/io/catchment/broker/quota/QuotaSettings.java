package io.catchment.broker.quota;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.server.config.ClientQuotaManagerConfig;
import org.apache.kafka.server.config.QuotaConfig;

/**
 * Over which time rates are reckoned, by Kafka's names and with Kafka's defaults. Immutable.
 *
 * @param samples of {@code sampleSeconds} each, for bytes, time and connections
 * @param mutationSamples of {@code mutationSampleSeconds} each, for partitions created and deleted
 */
public record QuotaSettings(int samples, int sampleSeconds, int mutationSamples, int mutationSampleSeconds) {
    private static final Set<String> KEYS = Set.of(
            QuotaConfig.NUM_QUOTA_SAMPLES_CONFIG,
            QuotaConfig.QUOTA_WINDOW_SIZE_SECONDS_CONFIG,
            QuotaConfig.NUM_CONTROLLER_QUOTA_SAMPLES_CONFIG,
            QuotaConfig.CONTROLLER_QUOTA_WINDOW_SIZE_SECONDS_CONFIG);

    /** The keys this component understands, to be merged into the node's own definition. */
    public static ConfigDef definition() {
        ConfigDef served = new ConfigDef();
        for (String key : new TreeSet<>(QuotaConfig.CONFIG_DEF.configKeys().keySet())) {
            if (KEYS.contains(key)) {
                served.define(QuotaConfig.CONFIG_DEF.configKeys().get(key));
            }
        }
        return served;
    }

    /** Reads its keys out of a node's properties; others are ignored. Throws ConfigException for a bad value. */
    public static QuotaSettings of(Map<String, ?> nodeProperties) {
        AbstractConfig config = new AbstractConfig(definition(), nodeProperties, false);
        return new QuotaSettings(
                config.getInt(QuotaConfig.NUM_QUOTA_SAMPLES_CONFIG),
                config.getInt(QuotaConfig.QUOTA_WINDOW_SIZE_SECONDS_CONFIG),
                config.getInt(QuotaConfig.NUM_CONTROLLER_QUOTA_SAMPLES_CONFIG),
                config.getInt(QuotaConfig.CONTROLLER_QUOTA_WINDOW_SIZE_SECONDS_CONFIG));
    }

    ClientQuotaManagerConfig clients() {
        return new ClientQuotaManagerConfig(samples, sampleSeconds);
    }

    ClientQuotaManagerConfig mutations() {
        return new ClientQuotaManagerConfig(mutationSamples, mutationSampleSeconds);
    }
}
