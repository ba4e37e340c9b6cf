package io.catchment.broker.topic;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageDelta;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The typed configuration of each topic, for the produce path. Thread-safe: readers share an immutable view per topic; the
 * control plane's listener thread tells when configurations may have changed.
 *
 * <p>A look-up allocates nothing unless the topic's own keys changed since the last one.
 */
public final class TopicConfigs {
    private static final Logger LOG = LoggerFactory.getLogger(TopicConfigs.class);

    private final TopicSchema schema;
    private final TopicConfig defaults;
    private final ConcurrentHashMap<String, Cached> cache = new ConcurrentHashMap<>();
    private volatile ClusterImage image;
    /** Counts changes of topics and configurations; written by the listener thread only, after the image. */
    private volatile long generation;

    private TopicConfigs(TopicSchema schema, ClusterImage image) {
        this.schema = schema;
        this.defaults = schema.resolve(Map.of());
        this.image = image;
    }

    /** Listens to the control plane for as long as that lives. */
    public static TopicConfigs of(ControlPlane controlPlane, TopicSchema schema) {
        TopicConfigs configs = new TopicConfigs(schema, controlPlane.image());
        controlPlane.subscribe(configs::changed);
        return configs;
    }

    /** The topic's configuration; the node's defaults for a topic that does not exist. */
    public TopicConfig forTopic(String topic) {
        long now = generation;
        Cached cached = cache.get(topic);
        if (cached != null && cached.generation == now) {
            return cached.config;
        }
        return refresh(topic, cached, now);
    }

    private TopicConfig refresh(String topic, @Nullable Cached cached, long now) {
        // Read after the generation, so it is of this generation or newer.
        ClusterImage image = this.image;
        if (image.topic(topic).isEmpty()) {
            // Not kept: names come from clients, and the cache must not grow with what they invent.
            return defaults;
        }
        Map<String, String> overrides = image.configs(ConfigResource.Type.TOPIC.id(), topic);
        TopicConfig config =
                cached != null && cached.overrides.equals(overrides) ? cached.config : resolve(topic, overrides);
        cache.put(topic, new Cached(now, Map.copyOf(overrides), config));
        return config;
    }

    private TopicConfig resolve(String topic, Map<String, String> overrides) {
        if (overrides.isEmpty()) {
            return defaults;
        }
        try {
            return schema.resolve(overrides);
        } catch (KafkaException | IllegalArgumentException e) {
            // Values are validated before they are stored, so this is a node older than the one that stored them.
            LOG.warn(
                    "Topic {} has a configuration this node does not understand, its defaults apply: {}",
                    topic,
                    overrides,
                    e);
            return defaults;
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    private void changed(ImageDelta delta, ClusterImage newImage) {
        image = newImage;
        if (delta.configsChanged() || delta.topicsChanged()) {
            generation++;
        }
        if (delta.topicsChanged()) {
            cache.keySet().removeIf(topic -> newImage.topic(topic).isEmpty());
        }
    }

    private record Cached(long generation, Map<String, String> overrides, TopicConfig config) {}
}
