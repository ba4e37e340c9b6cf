package io.catchment.broker.coordinatorlog;

import io.catchment.controlplane.ClusterImage;
import java.util.Map;
import java.util.Properties;
import java.util.function.Supplier;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/**
 * The present configuration of a coordinator's topic, of which the coordinator asks the largest batch each time it begins
 * one. Kept from one change to the next: parsing it takes longer than writing a batch. Thread-safe, immutable but for the cache.
 */
public final class LogTopicConfig implements Supplier<LogConfig> {
    private final String topic;
    private final Supplier<ClusterImage> image;
    private final Map<String, Object> defaults;
    private volatile @Nullable Parsed parsed;

    private record Parsed(Map<String, String> overrides, LogConfig config) {}

    /** @param topic the coordinator's own */
    public LogTopicConfig(String topic, Supplier<ClusterImage> image, int maxBatchBytes) {
        this.topic = topic;
        this.image = image;
        this.defaults = Map.of(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, maxBatchBytes);
    }

    @Override
    public LogConfig get() {
        Map<String, String> overrides = image.get().configs(ConfigResource.Type.TOPIC.id(), topic);
        Parsed known = parsed;
        if (known == null || !known.overrides().equals(overrides)) {
            known = parse(overrides);
            parsed = known;
        }
        return known.config();
    }

    private Parsed parse(Map<String, String> overrides) {
        // Only what LogConfig knows: keys of our own are of no interest here.
        Properties understood = new Properties();
        overrides.forEach((key, value) -> {
            if (LogConfig.configNames().contains(key)) {
                understood.put(key, value);
            }
        });
        return new Parsed(overrides, LogConfig.fromProps(defaults, understood));
    }
}
