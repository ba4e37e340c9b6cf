package io.catchment.broker.topicadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.quota.ClientQuotas;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicConfigs;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.CreateTopicsRequest;
import org.apache.kafka.common.requests.CreateTopicsResponse;
import org.apache.kafka.metadata.KafkaConfigSchema;
import org.apache.kafka.server.quota.ControllerMutationQuota;

/** CreateTopics: each topic of a request succeeds or fails by itself, with Kafka's errors and messages. */
public final class CreateTopicsHandler implements ApiHandler {
    /** As in Kafka: more than this in one request is taken for a mistake. */
    static final int PARTITIONS_PER_REQUEST_MAX = 10_000;

    /** Clients from here on know what to do when they are refused (KIP-599). */
    private static final int STRICT_QUOTA_VERSION = 6;

    /** How long an answer waits for the new partitions to be open, so that who reads it can use them. */
    private static final long OPENING_WAIT_MS = 1_000;

    private final ControlPlane controlPlane;
    private final TopicSchema schema;
    private final TopicAdminConfig config;
    private final TopicOpenings openings;
    private final ClientQuotas quotas;

    public CreateTopicsHandler(
            ControlPlane controlPlane, TopicSchema schema, TopicAdminConfig config, ClientQuotas quotas) {
        this.controlPlane = controlPlane;
        this.schema = schema;
        this.config = config;
        this.openings = TopicOpenings.of(controlPlane);
        this.quotas = quotas;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.CREATE_TOPICS;
    }

    @Override
    public void handle(Request request) {
        CreateTopicsRequestData data = ((CreateTopicsRequest) request.body()).data();
        checkSize(data);
        Map<String, ApiError> errors = new HashMap<>();
        Map<String, Command.CreateTopic> commands = new LinkedHashMap<>();
        Set<String> duplicates = duplicates(data);
        ClusterImage image = controlPlane.image();
        NewTopicNames names = new NewTopicNames(image);
        ControllerMutationQuota quota = quotas.mutations(request.context(), STRICT_QUOTA_VERSION);
        for (CreatableTopic topic : data.topics()) {
            if (duplicates.contains(topic.name())) {
                continue;
            }
            try {
                check(names, topic);
                Command.CreateTopic command = command(image, topic);
                quota.record(command.partitions());
                commands.put(topic.name(), command);
            } catch (KafkaException e) {
                errors.put(
                        topic.name(), CommandErrors.of(e, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_REQUEST));
            }
        }
        request.throttle(quotas.mutated(quota));
        CompletionStage<List<Command.CreatedTopic>> created = commands.isEmpty()
                ? CompletableFuture.completedFuture(List.of())
                : controlPlane
                        .submit(new Command.CreateTopics(List.copyOf(commands.values()), data.validateOnly()))
                        .toCompletableFuture()
                        .copy()
                        .orTimeout(Math.max(1, data.timeoutMs()), TimeUnit.MILLISECONDS)
                        .thenCompose(results -> openings.opened(
                                        commands.keySet(), Math.min(OPENING_WAIT_MS, Math.max(1, data.timeoutMs())))
                                .thenApply(open -> results));
        Later.respond(request, created, (results, failure) -> {
            Map<String, CreatableTopicResult> successes = new HashMap<>();
            if (failure != null) {
                ApiError error = CommandErrors.of(failure, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_REQUEST);
                commands.keySet().forEach(name -> errors.put(name, error));
            } else {
                results.forEach(result -> conclude(result, commands, errors, successes));
            }
            return answer(data, duplicates, errors, successes);
        });
    }

    private void checkSize(CreateTopicsRequestData data) {
        long total = 0;
        for (CreatableTopic topic : data.topics()) {
            if (!topic.assignments().isEmpty()) {
                total += topic.assignments().size();
            } else {
                total += topic.numPartitions() == -1 ? config.numPartitions() : Math.max(0, topic.numPartitions());
            }
        }
        if (total > PARTITIONS_PER_REQUEST_MAX) {
            throw new PolicyViolationException("Excessively large number of partitions per request.");
        }
    }

    private static Set<String> duplicates(CreateTopicsRequestData data) {
        Set<String> seen = new HashSet<>();
        Set<String> twice = new HashSet<>();
        for (CreatableTopic topic : data.topics()) {
            if (!seen.add(topic.name())) {
                twice.add(topic.name());
            }
        }
        return twice;
    }

    private static void check(NewTopicNames names, CreatableTopic topic) {
        if (topic.name().equals(Topic.CLUSTER_METADATA_TOPIC_NAME)) {
            throw Errors.INVALID_REQUEST.exception(
                    "Creation of internal topic " + Topic.CLUSTER_METADATA_TOPIC_NAME + " is prohibited.");
        }
        ApiError problem = names.check(topic.name()).orElse(null);
        if (problem != null) {
            throw problem.exception();
        }
    }

    private Command.CreateTopic command(ClusterImage image, CreatableTopic topic) {
        Map<String, String> configs = configs(topic);
        if (topic.assignments().isEmpty()) {
            if (topic.replicationFactor() < -1 || topic.replicationFactor() == 0) {
                throw Errors.INVALID_REPLICATION_FACTOR.exception(
                        "Replication factor must be larger than 0, or -1 to use the default value.");
            }
            if (topic.numPartitions() < -1 || topic.numPartitions() == 0) {
                throw Errors.INVALID_PARTITIONS.exception(
                        "Number of partitions was set to an invalid non-positive value.");
            }
            return new Command.CreateTopic(
                    topic.name(),
                    topic.numPartitions() == -1 ? config.numPartitions() : topic.numPartitions(),
                    topic.replicationFactor() == -1 ? config.defaultReplicationFactor() : topic.replicationFactor(),
                    configs);
        }
        return manual(image, topic, configs);
    }

    private Map<String, String> configs(CreatableTopic topic) {
        Map<String, String> configs = new TreeMap<>();
        List<String> nulls = new ArrayList<>();
        for (CreatableTopicConfig entry : topic.configs()) {
            if (entry.value() == null) {
                nulls.add(entry.name());
            } else {
                configs.put(entry.name(), entry.value());
            }
        }
        if (!nulls.isEmpty()) {
            throw Errors.INVALID_CONFIG.exception(
                    "Null value not supported for topic configs: " + String.join(",", nulls));
        }
        schema.validate(Map.of(), configs);
        return configs;
    }

    private static Command.CreateTopic manual(ClusterImage image, CreatableTopic topic, Map<String, String> configs) {
        if (topic.replicationFactor() != -1) {
            throw Errors.INVALID_REQUEST.exception(
                    "A manual partition assignment was specified, but replication factor was not set to -1.");
        }
        if (topic.numPartitions() != -1) {
            throw Errors.INVALID_REQUEST.exception(
                    "A manual partition assignment was specified, but numPartitions was not set to -1.");
        }
        Map<Integer, Integer> owners = new TreeMap<>();
        int replicas = -1;
        for (CreatableReplicaAssignment assignment : topic.assignments()) {
            int partition = assignment.partitionIndex();
            int owner = ManualAssignment.owner(image, partition, assignment.brokerIds(), replicas);
            replicas = assignment.brokerIds().size();
            if (owners.put(partition, owner) != null) {
                throw Errors.INVALID_REPLICA_ASSIGNMENT.exception(
                        "Found multiple manual partition assignments for partition " + partition);
            }
        }
        for (int partition = 0; partition < owners.size(); partition++) {
            if (!owners.containsKey(partition)) {
                throw Errors.INVALID_REPLICA_ASSIGNMENT.exception(
                        "partitions should be a consecutive 0-based integer sequence");
            }
        }
        return new Command.CreateTopic(
                topic.name(), owners.size(), (short) replicas, configs, List.copyOf(owners.values()));
    }

    private void conclude(
            Command.CreatedTopic created,
            Map<String, Command.CreateTopic> commands,
            Map<String, ApiError> errors,
            Map<String, CreatableTopicResult> successes) {
        Command.ItemError problem = created.error();
        Command.CreateTopic command = commands.get(created.name());
        if (problem != null || command == null) {
            errors.put(
                    created.name(),
                    problem == null
                            ? new ApiError(Errors.UNKNOWN_SERVER_ERROR)
                            : CommandErrors.of(problem, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_REQUEST));
            return;
        }
        CreatableTopicResult result = new CreatableTopicResult()
                .setName(created.name())
                .setTopicId(created.topicId())
                .setNumPartitions(command.partitions())
                .setReplicationFactor(command.replicationFactor())
                .setErrorMessage(null);
        schema.effective(command.configs()).forEach((name, entry) -> result.configs()
                .add(new CreatableTopicConfigs()
                        .setName(name)
                        .setValue(entry.isSensitive() ? null : entry.value())
                        .setReadOnly(entry.isReadOnly())
                        .setConfigSource(KafkaConfigSchema.translateConfigSource(entry.source())
                                .id())
                        .setIsSensitive(entry.isSensitive())));
        successes.put(created.name(), result);
    }

    private static CreateTopicsResponse answer(
            CreateTopicsRequestData data,
            Set<String> duplicates,
            Map<String, ApiError> errors,
            Map<String, CreatableTopicResult> successes) {
        CreateTopicsResponseData answer = new CreateTopicsResponseData();
        for (CreatableTopic topic : data.topics()) {
            if (duplicates.contains(topic.name())) {
                continue;
            }
            CreatableTopicResult success = successes.get(topic.name());
            answer.topics()
                    .add(
                            success != null
                                    ? success
                                    : failure(
                                            topic.name(),
                                            errors.getOrDefault(
                                                    topic.name(), new ApiError(Errors.UNKNOWN_SERVER_ERROR))));
        }
        duplicates.forEach(name ->
                answer.topics().add(failure(name, new ApiError(Errors.INVALID_REQUEST, "Duplicate topic name."))));
        return new CreateTopicsResponse(answer);
    }

    private static CreatableTopicResult failure(String name, ApiError error) {
        return new CreatableTopicResult()
                .setName(name)
                .setTopicId(Uuid.ZERO_UUID)
                .setErrorCode(error.error().code())
                .setErrorMessage(error.message());
    }
}
