package io.catchment.broker.group;

import io.catchment.controlplane.ClusterImage;
import java.util.Map;
import java.util.Properties;
import java.util.function.Supplier;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/**
 * The present configuration of {@code __consumer_offsets}, of which the coordinator asks the largest batch each time it begins
 * one. Kept from one change to the next: parsing it takes longer than writing a batch. Thread-safe, immutable but for the cache.
 */
final class OffsetsTopicConfig implements Supplier<LogConfig> {
    private final Supplier<ClusterImage> image;
    private final Map<String, Object> defaults;
    private volatile @Nullable Parsed parsed;

    private record Parsed(Map<String, String> overrides, LogConfig config) {}

    OffsetsTopicConfig(Supplier<ClusterImage> image, int maxBatchBytes) {
        this.image = image;
        this.defaults = Map.of(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, maxBatchBytes);
    }

    @Override
    public LogConfig get() {
        Map<String, String> overrides =
                image.get().configs(ConfigResource.Type.TOPIC.id(), Topic.GROUP_METADATA_TOPIC_NAME);
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
