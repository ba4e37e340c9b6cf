package io.catchment.broker.topicadmin;

import io.catchment.broker.topic.TopicSchema;
import io.catchment.controlplane.Command.CreateTopic;
import io.catchment.controlplane.Command.CreatedTopic;
import io.catchment.controlplane.Command.ItemError;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.Nullable;

/**
 * Creates the topics that Kafka Streams applications need for themselves, as their group's coordinator asks for them. Thread-safe. What
 * failed is left alone for a while, so that members who ask every few seconds are told why instead of trying again.
 */
public final class StreamsTopicCreator {
    /** Two heartbeats of a streams group, by default. */
    private static final long FAILURE_KEPT_MS = 10_000;
    /** Failures beyond this many are not remembered: their topics are tried again with each question. */
    private static final int FAILURES_MAX = 1_000;

    private final TopicAutoCreator creator;
    private final TopicSchema schema;
    private final TopicAdminConfig config;
    private final Map<String, Failure> failures = new ConcurrentHashMap<>();

    private record Failure(String message, long atNanos) {
        boolean isOver() {
            return System.nanoTime() - atNanos > TimeUnit.MILLISECONDS.toNanos(FAILURE_KEPT_MS);
        }
    }

    public StreamsTopicCreator(TopicAutoCreator creator, TopicSchema schema, TopicAdminConfig config) {
        this.creator = creator;
        this.schema = schema;
        this.config = config;
    }

    /** Begins to create those that nobody is creating; returns at once. By name: why the last attempt at one failed, a short while ago. */
    public Map<String, String> create(Collection<CreatableTopic> topics) {
        failures.values().removeIf(Failure::isOver);
        Map<String, String> told = new HashMap<>();
        List<CreateTopic> wanted = new ArrayList<>();
        for (CreatableTopic topic : topics) {
            Failure failure = failures.get(topic.name());
            if (failure != null) {
                told.put(topic.name(), failure.message());
                continue;
            }
            try {
                wanted.add(command(topic));
            } catch (KafkaException e) {
                failed(topic.name(), ApiError.fromThrowable(e));
                told.put(topic.name(), String.valueOf(e.getMessage()));
            }
        }
        creator.createAll(wanted).forEach((name, created) -> {
            var unused = created.whenComplete((result, failure) -> note(name, result, failure));
        });
        return told;
    }

    private CreateTopic command(CreatableTopic topic) {
        Map<String, String> configs = new HashMap<>();
        for (CreatableTopicConfig entry : topic.configs()) {
            configs.put(entry.name(), entry.value());
        }
        schema.validate(Map.of(), configs);
        return new CreateTopic(
                topic.name(),
                topic.numPartitions() < 1 ? config.numPartitions() : topic.numPartitions(),
                topic.replicationFactor() < 1 ? config.defaultReplicationFactor() : topic.replicationFactor(),
                configs);
    }

    private void note(String name, @Nullable CreatedTopic created, @Nullable Throwable failure) {
        ItemError error = created == null ? null : created.error();
        if (failure != null) {
            failed(name, CommandErrors.of(failure, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_TOPIC_EXCEPTION));
        } else if (error != null) {
            ApiError told = CommandErrors.of(error, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_TOPIC_EXCEPTION);
            if (told.error() != Errors.TOPIC_ALREADY_EXISTS) {
                failed(name, told);
            }
        }
    }

    private void failed(String name, ApiError error) {
        if (failures.size() < FAILURES_MAX) {
            failures.put(name, new Failure(error.messageWithFallback(), System.nanoTime()));
        }
    }
}
