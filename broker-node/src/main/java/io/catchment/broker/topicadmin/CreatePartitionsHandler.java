package io.catchment.broker.topicadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.quota.ClientQuotas;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsAssignment;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.CreatePartitionsRequest;
import org.apache.kafka.common.requests.CreatePartitionsResponse;
import org.apache.kafka.server.quota.ControllerMutationQuota;

/** CreatePartitions: topics grow, never shrink; the keys' partitions change with it, as in Kafka. */
public final class CreatePartitionsHandler implements ApiHandler {
    /** Clients from here on know what to do when they are refused (KIP-599). */
    private static final int STRICT_QUOTA_VERSION = 3;

    private final ControlPlane controlPlane;
    private final ClientQuotas quotas;

    public CreatePartitionsHandler(ControlPlane controlPlane, ClientQuotas quotas) {
        this.controlPlane = controlPlane;
        this.quotas = quotas;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.CREATE_PARTITIONS;
    }

    @Override
    public void handle(Request request) {
        CreatePartitionsRequestData data = ((CreatePartitionsRequest) request.body()).data();
        Set<String> duplicates = duplicates(data);
        Map<String, CompletableFuture<ApiError>> outcomes = new LinkedHashMap<>();
        ControllerMutationQuota quota = quotas.mutations(request.context(), STRICT_QUOTA_VERSION);
        for (CreatePartitionsTopic topic : data.topics()) {
            if (!duplicates.contains(topic.name())) {
                outcomes.put(topic.name(), grow(topic, quota, data.validateOnly(), data.timeoutMs()));
            }
        }
        request.throttle(quotas.mutated(quota));
        duplicates.forEach(name -> outcomes.put(
                name,
                CompletableFuture.completedFuture(new ApiError(Errors.INVALID_REQUEST, "Duplicate topic name."))));
        CompletableFuture<Void> all = CompletableFuture.allOf(outcomes.values().toArray(CompletableFuture<?>[]::new));
        Later.respond(request, all, (done, failure) -> answer(outcomes));
    }

    private static Set<String> duplicates(CreatePartitionsRequestData data) {
        Set<String> seen = new HashSet<>();
        Set<String> twice = new HashSet<>();
        for (CreatePartitionsTopic topic : data.topics()) {
            if (!seen.add(topic.name())) {
                twice.add(topic.name());
            }
        }
        return twice;
    }

    /** Never completes exceptionally. */
    private CompletableFuture<ApiError> grow(
            CreatePartitionsTopic topic, ControllerMutationQuota quota, boolean validateOnly, int timeoutMs) {
        try {
            ClusterImage image = controlPlane.image();
            List<Integer> owners = check(image, topic);
            quota.record(topic.count()
                    - image.topic(topic.name()).orElseThrow().streams().size());
            return controlPlane
                    .submit(new Command.CreatePartitions(topic.name(), topic.count(), owners, validateOnly))
                    .toCompletableFuture()
                    .copy()
                    .orTimeout(Math.max(1, timeoutMs), TimeUnit.MILLISECONDS)
                    .handle((done, failure) -> failure == null ? ApiError.NONE : error(failure));
        } catch (KafkaException e) {
            return CompletableFuture.completedFuture(error(e));
        }
    }

    /** The owners the client chose for the added partitions, or none. */
    private static List<Integer> check(ClusterImage image, CreatePartitionsTopic topic) {
        TopicState state = image.topic(topic.name()).orElseThrow(Errors.UNKNOWN_TOPIC_OR_PARTITION::exception);
        int present = state.streams().size();
        int added = topic.count() - present;
        if (added == 0) {
            throw Errors.INVALID_PARTITIONS.exception("Topic already has " + present + " partition(s).");
        } else if (added < 0) {
            throw Errors.INVALID_PARTITIONS.exception("The topic " + topic.name() + " currently has " + present
                    + " partition(s); " + topic.count() + " would not be an increase.");
        } else if (added > CreateTopicsHandler.PARTITIONS_PER_REQUEST_MAX) {
            throw Errors.POLICY_VIOLATION.exception("Excessively large number of additional partitions per request.");
        }
        List<CreatePartitionsAssignment> assignments = topic.assignments();
        if (assignments == null) {
            return List.of();
        }
        if (assignments.size() != added) {
            throw Errors.INVALID_REPLICA_ASSIGNMENT.exception("Attempted to add " + added
                    + " additional partition(s), but only " + assignments.size() + " assignment(s) were specified.");
        }
        List<Integer> owners = new ArrayList<>();
        for (int i = 0; i < added; i++) {
            owners.add(ManualAssignment.owner(
                    image, present + i, assignments.get(i).brokerIds(), -1));
        }
        return owners;
    }

    private static ApiError error(Throwable failure) {
        return CommandErrors.of(failure, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_PARTITIONS);
    }

    private static CreatePartitionsResponse answer(Map<String, CompletableFuture<ApiError>> outcomes) {
        CreatePartitionsResponseData data = new CreatePartitionsResponseData();
        outcomes.forEach((name, outcome) -> data.results()
                .add(new CreatePartitionsTopicResult()
                        .setName(name)
                        .setErrorCode(outcome.join().error().code())
                        .setErrorMessage(outcome.join().message())));
        return new CreatePartitionsResponse(data);
    }
}
