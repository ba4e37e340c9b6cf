package io.catchment.controlplane;

import java.util.List;
import org.apache.kafka.common.Uuid;

/** @param streams stream ids by partition */
public record TopicState(Uuid topicId, String name, List<Long> streams) {
    public TopicState {
        streams = List.copyOf(streams);
    }
}
