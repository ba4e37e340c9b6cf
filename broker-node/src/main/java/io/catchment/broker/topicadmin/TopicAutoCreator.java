package io.catchment.broker.topicadmin;

import static org.apache.kafka.common.internals.Topic.CLUSTER_METADATA_TOPIC_NAME;
import static org.apache.kafka.common.internals.Topic.GROUP_METADATA_TOPIC_NAME;

import io.catchment.broker.topic.TopicConfig;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates topics because somebody uses them: clients' topics with the node's defaults, internal ones with settings of their own.
 * Thread-safe; callers that ask for the same topic at the same time share one command.
 */
public final class TopicAutoCreator {
    private static final Logger LOG = LoggerFactory.getLogger(TopicAutoCreator.class);

    private final ControlPlane controlPlane;
    private final TopicAdminConfig config;
    private final ConcurrentHashMap<String, CompletableFuture<Errors>> underWay = new ConcurrentHashMap<>();

    public TopicAutoCreator(ControlPlane controlPlane, TopicAdminConfig config) {
        this.controlPlane = controlPlane;
        this.config = config;
    }

    /**
     * Answers NONE when the topic exists in this node's image; INVALID_TOPIC_EXCEPTION for a name no topic may have;
     * REQUEST_TIMED_OUT when the control plane could not be reached. Never completes exceptionally.
     */
    public CompletionStage<Errors> create(String topic) {
        return create(List.of(topic)).thenApply(results -> results.getOrDefault(topic, Errors.UNKNOWN_SERVER_ERROR));
    }

    /** The same for many, in one command. */
    public CompletionStage<Map<String, Errors>> create(Collection<String> topics) {
        Map<String, CompletableFuture<Errors>> results = new LinkedHashMap<>();
        List<Command.CreateTopic> commands = new ArrayList<>();
        NewTopicNames names = new NewTopicNames(controlPlane.image());
        for (String topic : topics) {
            Errors known = known(topic, names);
            if (known != null) {
                results.put(topic, CompletableFuture.completedFuture(known));
                continue;
            }
            CompletableFuture<Errors> mine = new CompletableFuture<>();
            CompletableFuture<Errors> others = underWay.putIfAbsent(topic, mine);
            results.put(topic, others == null ? mine : others);
            if (others == null) {
                commands.add(command(topic));
            }
        }
        if (!commands.isEmpty()) {
            submit(commands);
        }
        return collect(results);
    }

    /** The answer that needs no command, or null. */
    private static @Nullable Errors known(String topic, NewTopicNames names) {
        if (topic.equals(CLUSTER_METADATA_TOPIC_NAME)) {
            return Errors.INVALID_TOPIC_EXCEPTION;
        }
        ApiError problem = names.check(topic).orElse(null);
        if (problem == null) {
            return null;
        }
        return problem.error() == Errors.TOPIC_ALREADY_EXISTS ? Errors.NONE : problem.error();
    }

    private Command.CreateTopic command(String topic) {
        if (topic.equals(GROUP_METADATA_TOPIC_NAME)) {
            return new Command.CreateTopic(
                    topic,
                    config.offsetsTopicPartitions(),
                    config.defaultReplicationFactor(),
                    Map.of(
                            "cleanup.policy",
                            "compact",
                            "compression.type",
                            "producer",
                            "segment.bytes",
                            Integer.toString(config.offsetsTopicSegmentBytes()),
                            // Groups must go on while a site's backlog fills the other lanes.
                            TopicConfig.PRIORITY,
                            "urgent"));
        }
        return new Command.CreateTopic(topic, config.numPartitions(), config.defaultReplicationFactor(), Map.of());
    }

    private void submit(List<Command.CreateTopic> commands) {
        controlPlane.submit(new Command.CreateTopics(commands, false)).whenComplete((created, failure) -> {
            Map<String, Errors> results = failure == null ? results(created) : failed(commands, failure);
            for (Command.CreateTopic command : commands) {
                CompletableFuture<Errors> waiting = underWay.remove(command.name());
                if (waiting != null) {
                    waiting.complete(results.getOrDefault(command.name(), Errors.UNKNOWN_SERVER_ERROR));
                }
            }
        });
    }

    private static Map<String, Errors> results(List<Command.CreatedTopic> created) {
        Map<String, Errors> results = new HashMap<>();
        for (Command.CreatedTopic topic : created) {
            Command.ItemError problem = topic.error();
            Errors error = problem == null
                    ? Errors.NONE
                    : CommandErrors.of(problem, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_TOPIC_EXCEPTION)
                            .error();
            results.put(topic.name(), error == Errors.TOPIC_ALREADY_EXISTS ? Errors.NONE : error);
            if (error == Errors.NONE) {
                LOG.info("Created topic {} with {} partitions because it is used", topic.name(), topic.partitions());
            }
        }
        return results;
    }

    private static Map<String, Errors> failed(List<Command.CreateTopic> commands, Throwable failure) {
        ApiError error = CommandErrors.of(failure, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_TOPIC_EXCEPTION);
        LOG.warn("{} topics could not be created automatically: {}", commands.size(), error.messageWithFallback());
        Map<String, Errors> results = new HashMap<>();
        commands.forEach(command -> results.put(command.name(), error.error()));
        return results;
    }

    private static CompletionStage<Map<String, Errors>> collect(Map<String, CompletableFuture<Errors>> results) {
        return CompletableFuture.allOf(results.values().toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> {
                    Map<String, Errors> errors = new HashMap<>();
                    results.forEach((topic, result) -> errors.put(topic, result.join()));
                    return errors;
                });
    }
}
