package io.catchment.broker.topicadmin;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.TopicState;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.Nullable;

/** Whether a new topic may have a name: Kafka's alphabet and length, and no mixing up of '.' and '_' in metrics. Of one thread. */
final class NewTopicNames {
    private final ClusterImage image;
    private @Nullable Map<String, String> unified;

    NewTopicNames(ClusterImage image) {
        this.image = image;
    }

    Optional<ApiError> check(String name) {
        try {
            Topic.validate(name);
        } catch (InvalidTopicException e) {
            return Optional.of(new ApiError(Errors.INVALID_TOPIC_EXCEPTION, e.getMessage()));
        }
        if (image.topic(name).isPresent()) {
            return Optional.of(new ApiError(Errors.TOPIC_ALREADY_EXISTS, "Topic '" + name + "' already exists."));
        }
        if (Topic.hasCollisionChars(name)) {
            String existing = collisions().get(Topic.unifyCollisionChars(name));
            if (existing != null) {
                return Optional.of(new ApiError(
                        Errors.INVALID_TOPIC_EXCEPTION,
                        "Topic '" + name + "' collides with existing topic: " + existing));
            }
        }
        return Optional.empty();
    }

    /** Only made when a name asks for it: a cluster may have many topics. */
    private Map<String, String> collisions() {
        Map<String, String> known = unified;
        if (known == null) {
            known = new HashMap<>();
            for (TopicState topic : image.topics()) {
                if (Topic.hasCollisionChars(topic.name())) {
                    known.put(Topic.unifyCollisionChars(topic.name()), topic.name());
                }
            }
            unified = known;
        }
        return known;
    }
}
