package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.Subtopology;
import org.apache.kafka.common.message.StreamsGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.StreamsGroupHeartbeatRequest;
import org.apache.kafka.common.requests.StreamsGroupHeartbeatResponse;
import org.apache.kafka.common.requests.StreamsGroupHeartbeatResponse.Status;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.coordinator.group.streams.StreamsGroupHeartbeatResult;

/**
 * Streams protocol (KIP-1071): a member tells its topology and gets its tasks. The topics that the topology needs for itself
 * (repartitioning, changelogs) are created here, not by the application; whoever waits for them asks again, and learns why they could not be.
 */
final class StreamsGroupHeartbeatHandler implements ApiHandler {
    /** Reasons told in one answer. */
    private static final int ERRORS_TOLD_MAX = 3;

    private final GroupCoordinator coordinator;
    private final StreamsTopics topics;

    StreamsGroupHeartbeatHandler(GroupCoordinator coordinator, StreamsTopics topics) {
        this.coordinator = coordinator;
        this.topics = topics;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.STREAMS_GROUP_HEARTBEAT;
    }

    @Override
    public void handle(Request request) {
        StreamsGroupHeartbeatRequestData data = ((StreamsGroupHeartbeatRequest) request.body()).data();
        Set<String> named = topicsOf(data);
        List<String> internal = named.stream().filter(Topic::isInternal).toList();
        List<String> invalid =
                named.stream().filter(topic -> !Topic.isValid(topic)).toList();
        if (!internal.isEmpty()) {
            refuse(
                    request,
                    "Use of Kafka internal topics " + String.join(",", internal)
                            + " in a Kafka Streams topology is prohibited.");
        } else if (!invalid.isEmpty()) {
            refuse(request, "Topic names " + String.join(",", invalid) + " are not valid topic names.");
        } else {
            Answer.with(request, coordinator.streamsGroupHeartbeat(request.context(), data), this::answer);
        }
    }

    private static void refuse(Request request, String why) {
        request.respond(new StreamsGroupHeartbeatResponse(new StreamsGroupHeartbeatResponseData()
                .setErrorCode(Errors.STREAMS_INVALID_TOPOLOGY.code())
                .setErrorMessage(why)));
    }

    private static Set<String> topicsOf(StreamsGroupHeartbeatRequestData data) {
        Set<String> named = new LinkedHashSet<>();
        if (data.topology() != null) {
            for (Subtopology part : data.topology().subtopologies()) {
                named.addAll(part.sourceTopics());
                named.addAll(part.repartitionSinkTopics());
                part.repartitionSourceTopics().forEach(topic -> named.add(topic.name()));
                part.stateChangelogTopics().forEach(topic -> named.add(topic.name()));
            }
        }
        return named;
    }

    private StreamsGroupHeartbeatResponse answer(StreamsGroupHeartbeatResult result) {
        StreamsGroupHeartbeatResponseData data = result.data();
        if (!result.creatableTopics().isEmpty()) {
            tell(data, new TreeMap<>(topics.create(result.creatableTopics().values())));
        }
        return new StreamsGroupHeartbeatResponse(data);
    }

    private static void tell(StreamsGroupHeartbeatResponseData data, Map<String, String> errors) {
        if (errors.isEmpty() || data.status() == null) {
            return;
        }
        String told = errors.entrySet().stream()
                .limit(ERRORS_TOLD_MAX)
                .map(error -> error.getKey() + " (" + error.getValue() + ")")
                .collect(Collectors.joining(", "));
        int more = errors.size() - ERRORS_TOLD_MAX;
        List<StreamsGroupHeartbeatResponseData.Status> statuses = new ArrayList<>(data.status());
        statuses.stream()
                .filter(status -> status.statusCode() == Status.MISSING_INTERNAL_TOPICS.code())
                .findFirst()
                .ifPresent(status -> status.setStatusDetail(status.statusDetail() + "; Creation failed: " + told
                        + (more > 0 ? " and " + more + " more" : "") + "."));
    }
}
