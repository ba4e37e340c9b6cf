package io.catchment.broker.reassignment;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.CommandErrors;
import io.catchment.broker.topicadmin.Later;
import io.catchment.broker.topicadmin.ManualAssignment;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command.ItemError;
import io.catchment.controlplane.Command.ItemResult;
import io.catchment.controlplane.Command.Move;
import io.catchment.controlplane.Command.MoveStreams;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignablePartitionResponse;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignableTopicResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AlterPartitionReassignmentsRequest;
import org.apache.kafka.common.requests.AlterPartitionReassignmentsResponse;
import org.apache.kafka.common.requests.ApiError;

/**
 * AlterPartitionReassignments (KIP-455): the first broker of the replica list that lives is to own the partition from now on, and the
 * balancer leaves it there. No list takes a move that is not done yet back. No data moves.
 */
public final class AlterPartitionReassignmentsHandler implements ApiHandler {
    private static final int MOVES_AT_A_TIME = 5_000;

    private final ControlPlane controlPlane;

    public AlterPartitionReassignmentsHandler(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ALTER_PARTITION_REASSIGNMENTS;
    }

    /** A partition of the request, and either the move it means or what is wrong with it. */
    private record Asked(ReassignablePartitionResponse answer, long streamId, int target) {}

    @Override
    public void handle(Request request) {
        AlterPartitionReassignmentsRequestData data = ((AlterPartitionReassignmentsRequest) request.body()).data();
        ClusterImage image = controlPlane.image();
        AlterPartitionReassignmentsResponseData answer = new AlterPartitionReassignmentsResponseData()
                .setErrorMessage(null)
                .setAllowReplicationFactorChange(data.allowReplicationFactorChange());
        List<Asked> moves = new ArrayList<>();
        for (ReassignableTopic topic : data.topics()) {
            ReassignableTopicResponse answers = new ReassignableTopicResponse().setName(topic.name());
            answer.responses().add(answers);
            for (ReassignablePartition partition : topic.partitions()) {
                ReassignablePartitionResponse one =
                        new ReassignablePartitionResponse().setPartitionIndex(partition.partitionIndex());
                answers.partitions().add(one);
                try {
                    StreamState stream = stream(image, topic.name(), partition.partitionIndex());
                    moves.add(new Asked(
                            one,
                            stream.streamId(),
                            target(image, stream, partition, data.allowReplicationFactorChange())));
                } catch (ApiException e) {
                    set(one, ApiError.fromThrowable(e));
                }
            }
        }
        Later.respond(
                request,
                move(moves).orTimeout(Math.max(1, data.timeoutMs()), TimeUnit.MILLISECONDS),
                (results, failure) -> {
                    if (failure != null) {
                        ApiError error = error(failure);
                        moves.forEach(asked -> set(asked.answer(), error));
                    } else {
                        for (int i = 0; i < moves.size(); i++) {
                            ItemError problem = results.get(i).error();
                            if (problem != null) {
                                set(moves.get(i).answer(), error(problem));
                            }
                        }
                    }
                    return new AlterPartitionReassignmentsResponse(answer);
                });
    }

    /** Many at a time, so that each batch is one step of the state; the results in the order asked. */
    private CompletableFuture<List<ItemResult>> move(List<Asked> asked) {
        CompletableFuture<List<ItemResult>> results = CompletableFuture.completedFuture(new ArrayList<>());
        for (int from = 0; from < asked.size(); from += MOVES_AT_A_TIME) {
            List<Move> moves = asked.subList(from, Math.min(from + MOVES_AT_A_TIME, asked.size())).stream()
                    .map(one -> new Move(one.streamId(), one.target()))
                    .toList();
            results = results.thenCompose(
                    before -> controlPlane.submit(new MoveStreams(moves, true)).thenApply(more -> {
                        before.addAll(more);
                        return before;
                    }));
        }
        return results;
    }

    private static StreamState stream(ClusterImage image, String name, int partition) {
        TopicState topic = image.topic(name)
                .orElseThrow(() ->
                        Errors.UNKNOWN_TOPIC_OR_PARTITION.exception("Unable to find a topic named " + name + "."));
        if (partition < 0 || partition >= topic.streams().size()) {
            throw Errors.UNKNOWN_TOPIC_OR_PARTITION.exception(
                    "Unable to find partition " + name + ":" + partition + ".");
        }
        return image.stream(topic.streams().get(partition)).orElseThrow(Errors.UNKNOWN_TOPIC_OR_PARTITION::exception);
    }

    private static int target(
            ClusterImage image, StreamState stream, ReassignablePartition asked, boolean allowReplicationFactorChange) {
        List<Integer> replicas = asked.replicas();
        if (replicas == null) {
            if (stream.targetNodeId() < 0) {
                throw Errors.NO_REASSIGNMENT_IN_PROGRESS.exception();
            }
            return Move.STAY;
        }
        int owner = ManualAssignment.owner(image, stream.partition(), replicas, -1);
        if (!allowReplicationFactorChange && replicas.size() != 1) {
            throw Errors.INVALID_REPLICATION_FACTOR.exception(
                    "The replication factor is changed from 1 to " + replicas.size());
        }
        return owner;
    }

    private static ApiError error(Throwable failure) {
        return CommandErrors.of(failure, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_REPLICA_ASSIGNMENT);
    }

    private static ApiError error(ItemError problem) {
        return CommandErrors.of(problem, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.INVALID_REPLICA_ASSIGNMENT);
    }

    private static void set(ReassignablePartitionResponse answer, ApiError error) {
        answer.setErrorCode(error.error().code()).setErrorMessage(error.message());
    }
}
