package io.catchment.broker.group.api;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.TopicState;
import java.util.Optional;
import org.apache.kafka.common.Uuid;

/** The questions that offset requests have about topics, asked of one image so that their answers fit together. Immutable. */
record TopicNames(ClusterImage image) {

    Optional<String> nameOf(Uuid topicId) {
        return Uuid.ZERO_UUID.equals(topicId)
                ? Optional.empty()
                : image.topic(topicId).map(TopicState::name);
    }

    Optional<Uuid> idOf(String topic) {
        return image.topic(topic).map(TopicState::topicId);
    }

    boolean exists(String topic) {
        return image.topic(topic).isPresent();
    }

    boolean exists(String topic, int partition) {
        return image.topic(topic)
                .filter(state -> partition >= 0 && partition < state.streams().size())
                .isPresent();
    }
}
