package io.catchment.broker.configadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.broker.topicadmin.CommandErrors;
import io.catchment.broker.topicadmin.Later;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.ControlPlane;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
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
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.IncrementalAlterConfigsRequest;
import org.apache.kafka.common.requests.IncrementalAlterConfigsResponse;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;
import org.jspecify.annotations.Nullable;

/**
 * IncrementalAlterConfigs of topics, groups and client metrics. Thread-safe: alterations made through this node run one after the other, so that
 * an APPEND sees what the one before left. What was created or altered through another node before the request came is seen as well, by a
 * barrier: clients send such requests to any node, and what they were told is done must count for the next. What is altered through another node
 * at the same moment makes the control plane refuse what was worked out without it; it is worked out anew then.
 *
 * <p>Node configurations are refused: they change by node.properties and a restart. What a node never had set at run time can be
 * deleted, though: {@code kafka-reassign-partitions --verify} ends with that.
 */
public final class IncrementalAlterConfigsHandler implements ApiHandler {
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

    public IncrementalAlterConfigsHandler(
            ControlPlane controlPlane, TopicSchema topics, GroupSchema groups, int nodeId) {
        this.controlPlane = controlPlane;
        this.topics = topics;
        this.groups = groups;
        this.nodeId = nodeId;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.INCREMENTAL_ALTER_CONFIGS;
    }

    @Override
    public void handle(Request request) {
        IncrementalAlterConfigsRequestData data = ((IncrementalAlterConfigsRequest) request.body()).data();
        Map<ConfigResource, AlterConfigsResource> resources = new LinkedHashMap<>();
        Set<ConfigResource> duplicates = new HashSet<>();
        for (AlterConfigsResource resource : data.resources()) {
            ConfigResource key =
                    new ConfigResource(ConfigResource.Type.forId(resource.resourceType()), resource.resourceName());
            if (resources.putIfAbsent(key, resource) != null) {
                duplicates.add(key);
            }
        }
        CompletionStage<Void> others = resources.keySet().stream().anyMatch(key -> isOfTheCluster(key.type()))
                ? controlPlane.barrier()
                : CompletableFuture.completedFuture(null);
        Map<AlterConfigsResource, CompletionStage<ApiError>> outcomes = new LinkedHashMap<>();
        resources.forEach((key, resource) -> outcomes.put(
                resource,
                duplicates.contains(key)
                        ? CompletableFuture.completedFuture(
                                new ApiError(Errors.INVALID_REQUEST, "Each resource must appear at most once."))
                        : afterTheLast(() -> others.thenComposeAsync(
                                        seen -> alter(key, resource, data.validateOnly(), request.eventLoop(), 1),
                                        request.eventLoop())
                                .exceptionally(IncrementalAlterConfigsHandler::error))));
        CompletableFuture<Void> all = CompletableFuture.allOf(outcomes.values().stream()
                .map(CompletionStage::toCompletableFuture)
                .toArray(CompletableFuture<?>[]::new));
        Later.respond(request, all, (done, failure) -> answer(outcomes));
    }

    /** {@code step} never completes exceptionally, and neither does this. */
    private synchronized CompletionStage<ApiError> afterTheLast(Supplier<CompletionStage<ApiError>> step) {
        CompletionStage<ApiError> next = last.thenCompose(done -> step.get());
        last = next;
        return next;
    }

    private CompletionStage<ApiError> alter(
            ConfigResource resource, AlterConfigsResource asked, boolean validateOnly, Executor loop, int attempt) {
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
            ConfigResource resource, AlterConfigsResource asked, Map<String, String> before) {
        ConfigOperations operations = ConfigOperations.of(asked);
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
                throw Errors.INVALID_REQUEST.exception(
                        "Unsupported resource type " + resource.type() + " (" + asked.resourceType() + ")");
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

    private static IncrementalAlterConfigsResponse answer(
            Map<AlterConfigsResource, CompletionStage<ApiError>> outcomes) {
        IncrementalAlterConfigsResponseData data = new IncrementalAlterConfigsResponseData();
        outcomes.forEach((resource, outcome) -> {
            ApiError error = outcome.toCompletableFuture().join();
            data.responses()
                    .add(new AlterConfigsResourceResponse()
                            .setResourceType(resource.resourceType())
                            .setResourceName(resource.resourceName())
                            .setErrorCode(error.error().code())
                            .setErrorMessage(error.message()));
        });
        return new IncrementalAlterConfigsResponse(data);
    }
}
