package io.catchment.broker.election;

import io.catchment.broker.leader.ImageWaits;
import io.catchment.broker.leader.Leader;
import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.CommandErrors;
import io.catchment.broker.topicadmin.Later;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command.ItemError;
import io.catchment.controlplane.Command.ItemResult;
import io.catchment.controlplane.Command.Move;
import io.catchment.controlplane.Command.MoveStreams;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersResponseData.PartitionResult;
import org.apache.kafka.common.message.ElectLeadersResponseData.ReplicaElectionResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.ElectLeadersRequest;
import org.apache.kafka.common.requests.ElectLeadersResponse;

/**
 * ElectLeaders (KIP-183, KIP-460). A preferred election hands partitions over to their preferred owners, and answers when these
 * lead. An unclean one has nothing to choose from: an owner knows all that was acknowledged, or it does not open the partition.
 */
public final class ElectLeadersHandler implements ApiHandler {
    private static final int MOVES_AT_A_TIME = 5_000;

    private final ControlPlane controlPlane;
    private final ImageWaits waits;

    public ElectLeadersHandler(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
        this.waits = ImageWaits.of(controlPlane);
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ELECT_LEADERS;
    }

    @Override
    public void handle(Request request) {
        ElectLeadersRequestData data = ((ElectLeadersRequest) request.body()).data();
        ElectionType type = type(data.electionType());
        ClusterImage image = controlPlane.image();
        List<ReplicaElectionResult> results = new ArrayList<>();
        List<Election> elections = new ArrayList<>();
        if (data.topicPartitions() == null) {
            for (TopicState topic : image.topics()) {
                ReplicaElectionResult result = new ReplicaElectionResult().setTopic(topic.name());
                for (int partition = 0; partition < topic.streams().size(); partition++) {
                    elect(image, type, topic.name(), partition, result, elections, true);
                }
                if (!result.partitionResult().isEmpty()) {
                    results.add(result);
                }
            }
        } else {
            data.topicPartitions().forEach(topic -> {
                ReplicaElectionResult result = new ReplicaElectionResult().setTopic(topic.topic());
                topic.partitions()
                        .forEach(partition -> elect(image, type, topic.topic(), partition, result, elections, false));
                results.add(result);
            });
        }
        Later.respond(request, hold(elections, Math.max(1, data.timeoutMs())), (done, failure) -> {
            if (failure != null) {
                ApiError error = CommandErrors.of(
                        failure, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.PREFERRED_LEADER_NOT_AVAILABLE);
                elections.forEach(election -> election.refuse(error));
            }
            return new ElectLeadersResponse(
                    0, Errors.NONE.code(), results, request.header().apiVersion());
        });
    }

    private static ElectionType type(byte id) {
        try {
            return ElectionType.valueOf(id);
        } catch (IllegalArgumentException e) {
            throw Errors.INVALID_REQUEST.exception("Unknown election type " + id);
        }
    }

    /** @param onlyNeeded when all partitions are meant, those that lack nothing are not told of, as in Kafka */
    private static void elect(
            ClusterImage image,
            ElectionType type,
            String topic,
            int partition,
            ReplicaElectionResult results,
            List<Election> elections,
            boolean onlyNeeded) {
        PartitionResult result = new PartitionResult().setPartitionId(partition);
        Optional<TopicState> known = image.topic(topic);
        StreamState stream = known.filter(
                        state -> partition >= 0 && partition < state.streams().size())
                .flatMap(state -> image.stream(state.streams().get(partition)))
                .orElse(null);
        ApiError error = stream == null
                ? new ApiError(
                        Errors.UNKNOWN_TOPIC_OR_PARTITION,
                        known.isEmpty()
                                ? "No such topic as " + topic
                                : "No such partition as " + topic + "-" + partition)
                : objection(image, type, stream);
        if (error.is(Errors.ELECTION_NOT_NEEDED) && onlyNeeded) {
            return;
        }
        result.setErrorCode(error.error().code()).setErrorMessage(error.message());
        results.partitionResult().add(result);
        if (stream != null && error.isSuccess()) {
            elections.add(new Election(stream.streamId(), stream.preferredNodeId(), result));
        }
    }

    private static ApiError objection(ClusterImage image, ElectionType type, StreamState stream) {
        if (type == ElectionType.UNCLEAN) {
            boolean led = image.node(stream.ownerNodeId())
                    .filter(owner -> Leader.isOpen(stream, owner))
                    .isPresent();
            return new ApiError(led ? Errors.ELECTION_NOT_NEEDED : Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE);
        }
        int preferred = stream.preferredNodeId();
        if (preferred < 0 || preferred == stream.ownerNodeId()) {
            return new ApiError(Errors.ELECTION_NOT_NEEDED);
        }
        boolean available = image.node(preferred).filter(NodeState::isLive).isPresent();
        return available ? ApiError.NONE : new ApiError(Errors.PREFERRED_LEADER_NOT_AVAILABLE);
    }

    /** What was refused or did not happen in time is noted in the elections' results. */
    private CompletionStage<Void> hold(List<Election> elections, long timeoutMs) {
        CompletionStage<Void> asked = CompletableFuture.completedFuture(null);
        for (int from = 0; from < elections.size(); from += MOVES_AT_A_TIME) {
            List<Election> some = elections.subList(from, Math.min(from + MOVES_AT_A_TIME, elections.size()));
            asked = asked.thenCompose(before -> controlPlane
                    .submit(new MoveStreams(
                            some.stream()
                                    .map(election -> new Move(election.streamId(), Move.PREFERRED))
                                    .toList(),
                            false))
                    .thenAccept(results -> refuse(some, results)));
        }
        return asked.toCompletableFuture()
                .orTimeout(timeoutMs, TimeUnit.MILLISECONDS)
                .thenCompose(done -> waits.until(
                        image -> elections.stream().allMatch(election -> election.isDone(image)), timeoutMs))
                .thenAccept(inTime -> {
                    ClusterImage image = controlPlane.image();
                    elections.forEach(election -> election.conclude(image));
                });
    }

    private static void refuse(List<Election> elections, List<ItemResult> results) {
        for (int i = 0; i < elections.size(); i++) {
            ItemError problem = results.get(i).error();
            if (problem != null) {
                elections
                        .get(i)
                        .refuse(CommandErrors.of(
                                problem, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.PREFERRED_LEADER_NOT_AVAILABLE));
            }
        }
    }

    /** One partition on its way to its preferred owner. Written by one stage after the other. */
    private record Election(long streamId, int preferred, PartitionResult result) {

        void refuse(ApiError error) {
            result.setErrorCode(error.error().code()).setErrorMessage(error.message());
        }

        boolean isRefused() {
            return result.errorCode() != Errors.NONE.code();
        }

        /** It leads, or nobody tries any more. */
        boolean isDone(ClusterImage image) {
            StreamState stream = image.stream(streamId).orElse(null);
            return isRefused() || stream == null || leads(stream, image) || isGivenUp(stream);
        }

        private boolean isGivenUp(StreamState stream) {
            return stream.ownerNodeId() != preferred && stream.targetNodeId() != preferred;
        }

        private boolean leads(StreamState stream, ClusterImage image) {
            return stream.ownerNodeId() == preferred
                    && image.node(preferred)
                            .filter(owner -> Leader.isOpen(stream, owner))
                            .isPresent();
        }

        void conclude(ClusterImage image) {
            StreamState stream = image.stream(streamId).orElse(null);
            if (isRefused() || (stream != null && leads(stream, image))) {
                return;
            }
            if (stream == null) {
                refuse(new ApiError(Errors.UNKNOWN_TOPIC_OR_PARTITION));
            } else if (isGivenUp(stream)) {
                refuse(new ApiError(Errors.PREFERRED_LEADER_NOT_AVAILABLE));
            } else {
                refuse(new ApiError(Errors.REQUEST_TIMED_OUT, "The preferred leader does not lead the partition yet."));
            }
        }
    }
}
