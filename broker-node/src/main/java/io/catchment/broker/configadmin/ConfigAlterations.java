package io.catchment.broker.configadmin;

import io.catchment.broker.topic.TopicSchema;
import io.catchment.broker.topicadmin.CommandErrors;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.ControlPlane;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;
import org.jspecify.annotations.Nullable;

/**
 * Alterations of the configurations of topics, groups and client metrics. Thread-safe: what is altered through this node runs one after the other, so that
 * an APPEND sees what the one before left. What was created or altered through another node before the request came is seen as well, by a
 * barrier: clients send such requests to any node, and what they were told is done must count for the next. What is altered through another node
 * at the same moment makes the control plane refuse what was worked out without it; it is worked out anew then.
 *
 * <p>Node configurations are refused: they change by node.properties and a restart. What a node never had set at run time can be
 * deleted, though: {@code kafka-reassign-partitions --verify} ends with that.
 */
public final class ConfigAlterations {
    /** Where data moves between replicas, these slow it down; tools that move partitions take them away when all is done. */
    private static final Set<String> THROTTLES = Set.of(
            "leader.replication.throttled.rate",
            "follower.replication.throttled.rate",
            "replica.alter.log.dirs.io.max.bytes.per.second");

    /** Each refusal means that an alteration through another node got ahead: so many in a row are a storm. */
    private static final int ATTEMPTS_MAX = 30;

    private final ControlPlane controlPlane;
    private final TopicSchema topics;
    private final GroupSchema groups;
    private final int nodeId;
    private CompletionStage<?> last = CompletableFuture.completedFuture(null);

    public ConfigAlterations(ControlPlane controlPlane, TopicSchema topics, GroupSchema groups, int nodeId) {
        this.controlPlane = controlPlane;
        this.topics = topics;
        this.groups = groups;
        this.nodeId = nodeId;
    }

    /** What a request asks for one resource. */
    record Alteration(ConfigResource resource, Supplier<ConfigOperations> operations) {
        static ConfigResource resource(byte type, String name) {
            return new ConfigResource(ConfigResource.Type.forId(type), name);
        }
    }

    /** The outcomes in the order asked; does not fail. Resources that are named twice are left as they are. */
    CompletionStage<List<ApiError>> alter(List<Alteration> asked, boolean validateOnly, Executor loop) {
        Set<ConfigResource> named = new HashSet<>();
        Set<ConfigResource> duplicates = new HashSet<>();
        asked.stream()
                .map(Alteration::resource)
                .filter(resource -> !named.add(resource))
                .forEach(duplicates::add);
        CompletionStage<Void> others = named.stream().anyMatch(resource -> isOfTheCluster(resource.type()))
                ? controlPlane.barrier()
                : CompletableFuture.completedFuture(null);
        List<CompletableFuture<ApiError>> outcomes = new ArrayList<>(asked.size());
        for (Alteration alteration : asked) {
            CompletionStage<ApiError> outcome = duplicates.contains(alteration.resource())
                    ? CompletableFuture.completedFuture(
                            new ApiError(Errors.INVALID_REQUEST, "Each resource must appear at most once."))
                    : afterTheLast(() -> others.thenComposeAsync(
                                    seen -> alter(
                                            alteration.resource(),
                                            alteration.operations().get(),
                                            validateOnly,
                                            loop,
                                            1),
                                    loop)
                            .exceptionally(ConfigAlterations::error));
            outcomes.add(outcome.toCompletableFuture());
        }
        return CompletableFuture.allOf(outcomes.toArray(CompletableFuture<?>[]::new))
                .thenApply(
                        done -> outcomes.stream().map(CompletableFuture::join).toList());
    }

    /** {@code step} never completes exceptionally, and neither does this. */
    private synchronized CompletionStage<ApiError> afterTheLast(Supplier<CompletionStage<ApiError>> step) {
        CompletionStage<ApiError> next = last.thenCompose(done -> step.get());
        last = next;
        return next;
    }

    private CompletionStage<ApiError> alter(
            ConfigResource resource, ConfigOperations asked, boolean validateOnly, Executor loop, int attempt) {
        Map<String, String> before =
                controlPlane.image().configs(resource.type().id(), resource.name());
        Map<String, @Nullable String> changes = changes(resource, asked, before);
        if (validateOnly || changes.isEmpty()) {
            return CompletableFuture.completedFuture(ApiError.NONE);
        }
        return controlPlane
                .submit(new Command.AlterConfigs(resource.type().id(), resource.name(), changes, before))
                .handleAsync(
                        (done, failure) -> {
                            if (failure == null) {
                                return CompletableFuture.completedFuture(ApiError.NONE);
                            }
                            // The refusal came with what it rests on: the image shows it
                            return isOvertaken(failure) && attempt < ATTEMPTS_MAX
                                    ? alter(resource, asked, false, loop, attempt + 1)
                                    : CompletableFuture.completedFuture(error(failure));
                        },
                        loop)
                .thenCompose(next -> next);
    }

    private static boolean isOvertaken(Throwable failure) {
        Throwable cause = failure instanceof CompletionException wrapped ? wrapped.getCause() : failure;
        return cause instanceof CommandException refused && refused.reason() == CommandException.Reason.NOT_YET;
    }

    private static boolean isOfTheCluster(ConfigResource.Type type) {
        return type == ConfigResource.Type.TOPIC
                || type == ConfigResource.Type.GROUP
                || type == ConfigResource.Type.CLIENT_METRICS;
    }

    private static ApiError error(Throwable failure) {
        return CommandErrors.of(failure, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_CONFIG);
    }

    /** @throws KafkaException if any of it is invalid: a resource is altered as a whole or not at all */
    private Map<String, @Nullable String> changes(
            ConfigResource resource, ConfigOperations operations, Map<String, String> before) {
        switch (resource.type()) {
            case TOPIC -> {
                return topicChanges(resource.name(), operations, before);
            }
            case GROUP -> {
                if (resource.name().isEmpty()) {
                    throw Errors.INVALID_REQUEST.exception("Default group resources are not allowed.");
                }
                Map<String, String> after = operations.apply(before, groups.keys());
                groups.validate(after);
                return difference(before, after);
            }
            case CLIENT_METRICS -> {
                if (resource.name().isEmpty()) {
                    throw Errors.INVALID_REQUEST.exception("Subscription name can't be empty");
                }
                Map<String, String> after = operations.apply(before, ClientMetricsConfigs.configDef());
                ClientMetricsConfigs.validate(resource.name(), after);
                return difference(before, after);
            }
            case BROKER -> {
                checkNode(resource.name());
                if (operations.onlyDeletes(THROTTLES)) {
                    return Map.of();
                }
                throw Errors.INVALID_REQUEST.exception("Cannot update these configs dynamically: " + operations.names()
                        + ". Set them in the node's configuration file and restart it.");
            }
            case BROKER_LOGGER ->
                throw Errors.INVALID_REQUEST.exception(
                        "Log levels cannot be altered at run time. Set them in the node's logback configuration.");
            default ->
                throw Errors.INVALID_REQUEST.exception("Unsupported resource type " + resource.type() + " ("
                        + resource.type().id() + ")");
        }
    }

    /** Clients send what is meant for one broker to that broker; the empty name means all of them. */
    private void checkNode(String name) {
        if (!name.isEmpty() && !name.equals(Integer.toString(nodeId))) {
            throw Errors.INVALID_REQUEST.exception(
                    "Unexpected broker id, expected " + nodeId + ", but received " + name);
        }
    }

    private Map<String, @Nullable String> topicChanges(
            String topic, ConfigOperations operations, Map<String, String> before) {
        if (topic.isEmpty()) {
            throw Errors.INVALID_REQUEST.exception("Default topic resources are not allowed.");
        }
        Topic.validate(topic);
        Map<String, String> after = operations.apply(before, topics.keys());
        topics.validate(before, after);
        if (controlPlane.image().topic(topic).isEmpty()) {
            throw Errors.UNKNOWN_TOPIC_OR_PARTITION.exception("The topic '" + topic + "' does not exist.");
        }
        return difference(before, after);
    }

    private static Map<String, @Nullable String> difference(Map<String, String> before, Map<String, String> after) {
        Map<String, @Nullable String> changes = new HashMap<>();
        before.keySet().stream().filter(key -> !after.containsKey(key)).forEach(key -> changes.put(key, null));
        after.forEach((key, value) -> {
            if (!value.equals(before.get(key))) {
                changes.put(key, value);
            }
        });
        return changes;
    }
}
