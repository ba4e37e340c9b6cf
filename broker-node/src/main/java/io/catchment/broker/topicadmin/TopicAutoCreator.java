package io.catchment.broker.topicadmin;

import static org.apache.kafka.common.internals.Topic.CLUSTER_METADATA_TOPIC_NAME;
import static org.apache.kafka.common.internals.Topic.GROUP_METADATA_TOPIC_NAME;
import static org.apache.kafka.common.internals.Topic.SHARE_GROUP_STATE_TOPIC_NAME;
import static org.apache.kafka.common.internals.Topic.TRANSACTION_STATE_TOPIC_NAME;

import io.catchment.broker.topic.TopicConfig;
import io.catchment.controlplane.Command.CreateTopic;
import io.catchment.controlplane.Command.CreateTopics;
import io.catchment.controlplane.Command.CreatedTopic;
import io.catchment.controlplane.Command.ItemError;
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
    private final ConcurrentHashMap<String, CompletableFuture<CreatedTopic>> underWay = new ConcurrentHashMap<>();

    public TopicAutoCreator(ControlPlane controlPlane, TopicAdminConfig config) {
        this.controlPlane = controlPlane;
        this.config = config;
    }

    /**
     * Creates clients' topics by name, in one command. Answers per topic: NONE when it exists in this node's image now;
     * INVALID_TOPIC_EXCEPTION for a name no topic may have; REQUEST_TIMED_OUT when the control plane could not be reached. Never
     * completes exceptionally.
     */
    public CompletionStage<Map<String, Errors>> create(Collection<String> topics) {
        Map<String, Errors> known = new HashMap<>();
        List<CreateTopic> wanted = new ArrayList<>();
        NewTopicNames names = new NewTopicNames(controlPlane.image());
        for (String topic : topics) {
            Errors answer = known(topic, names);
            if (answer != null) {
                known.put(topic, answer);
            } else {
                wanted.add(wanted(topic));
            }
        }
        Map<String, CompletableFuture<Errors>> pending = new LinkedHashMap<>();
        submit(wanted).forEach((topic, created) -> pending.put(topic, created.handle(TopicAutoCreator::outcome)));
        return CompletableFuture.allOf(pending.values().toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> {
                    pending.forEach((topic, outcome) -> known.put(topic, outcome.join()));
                    return known;
                });
    }

    private CreateTopic wanted(String topic) {
        return switch (topic) {
            case GROUP_METADATA_TOPIC_NAME -> urgent(config.offsetsTopic());
            case TRANSACTION_STATE_TOPIC_NAME -> urgent(config.transactionTopic());
            case SHARE_GROUP_STATE_TOPIC_NAME -> urgent(config.shareStateTopic());
            default -> new CreateTopic(topic, config.numPartitions(), config.defaultReplicationFactor(), Map.of());
        };
    }

    /**
     * Creates an internal topic with the settings its owner wants, in the urgent class unless these name another: groups must go on
     * while a site's backlog fills the other lanes. Fails with a CommandException.
     */
    public CompletionStage<CreatedTopic> createInternal(CreateTopic topic) {
        CompletableFuture<CreatedTopic> created = submit(List.of(urgent(topic))).get(topic.name());
        return created == null
                ? CompletableFuture.failedFuture(new IllegalStateException("Nobody creates " + topic.name()))
                : created;
    }

    /** Topics with settings of their own; by name, the answer to come. */
    Map<String, CompletableFuture<CreatedTopic>> createAll(List<CreateTopic> topics) {
        return submit(topics);
    }

    private static CreateTopic urgent(CreateTopic topic) {
        Map<String, String> configs = new HashMap<>(topic.configs());
        configs.putIfAbsent(TopicConfig.PRIORITY, "urgent");
        return new CreateTopic(topic.name(), topic.partitions(), topic.replicationFactor(), configs, topic.owners());
    }

    /** The answer that needs no command, or null. */
    private static @Nullable Errors known(String topic, NewTopicNames names) {
        if (topic.equals(CLUSTER_METADATA_TOPIC_NAME)) {
            return Errors.INVALID_TOPIC_EXCEPTION;
        }
        Errors problem = names.check(topic).map(ApiError::error).orElse(null);
        return problem == Errors.TOPIC_ALREADY_EXISTS ? Errors.NONE : problem;
    }

    /** Submits those that are not under way yet. */
    private Map<String, CompletableFuture<CreatedTopic>> submit(List<CreateTopic> topics) {
        Map<String, CompletableFuture<CreatedTopic>> created = new LinkedHashMap<>();
        List<CreateTopic> mine = new ArrayList<>();
        for (CreateTopic topic : topics) {
            CompletableFuture<CreatedTopic> fresh = new CompletableFuture<>();
            CompletableFuture<CreatedTopic> others = underWay.putIfAbsent(topic.name(), fresh);
            created.put(topic.name(), others == null ? fresh : others);
            if (others == null) {
                mine.add(topic);
            }
        }
        if (!mine.isEmpty()) {
            controlPlane
                    .submit(new CreateTopics(mine, false))
                    .whenComplete((results, failure) -> conclude(mine, results, failure));
        }
        return created;
    }

    private void conclude(List<CreateTopic> topics, @Nullable List<CreatedTopic> results, @Nullable Throwable failure) {
        Map<String, CreatedTopic> byName = new HashMap<>();
        if (results != null) {
            results.forEach(result -> byName.put(result.name(), result));
        } else {
            LOG.warn("{} topics could not be created: {}", topics.size(), String.valueOf(failure));
        }
        for (CreateTopic topic : topics) {
            CompletableFuture<CreatedTopic> waiting = underWay.remove(topic.name());
            CreatedTopic result = byName.get(topic.name());
            if (waiting == null) {
                throw new IllegalStateException("Creation of " + topic.name() + " was concluded twice");
            } else if (result == null) {
                waiting.completeExceptionally(
                        failure != null ? failure : new IllegalStateException("No answer for " + topic.name()));
            } else {
                if (result.error() == null) {
                    LOG.info(
                            "Created topic {} with {} partitions because it is used", topic.name(), topic.partitions());
                }
                waiting.complete(result);
            }
        }
    }

    private static Errors outcome(@Nullable CreatedTopic created, @Nullable Throwable failure) {
        ItemError error = created == null ? null : created.error();
        Errors outcome = Errors.NONE;
        if (failure != null) {
            outcome = CommandErrors.of(failure, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_TOPIC_EXCEPTION)
                    .error();
        } else if (error != null) {
            outcome = CommandErrors.of(error, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_TOPIC_EXCEPTION)
                    .error();
        }
        return outcome == Errors.TOPIC_ALREADY_EXISTS ? Errors.NONE : outcome;
    }
}
