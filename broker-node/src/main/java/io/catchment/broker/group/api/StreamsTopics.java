package io.catchment.broker.group.api;

import java.util.Collection;
import java.util.Map;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;

/** Creates the topics that Kafka Streams applications need for themselves. Thread-safe; never blocks. */
@FunctionalInterface
public interface StreamsTopics {

    /** Begins to create those that nobody is creating; returns at once. By name: why the last attempt at one failed, a short while ago. */
    Map<String, String> create(Collection<CreatableTopic> topics);
}
