package io.catchment.broker.reassignment;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.List;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData.ListPartitionReassignmentsTopics;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData.OngoingPartitionReassignment;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData.OngoingTopicReassignment;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ListPartitionReassignmentsRequest;
import org.apache.kafka.common.requests.ListPartitionReassignmentsResponse;

/**
 * ListPartitionReassignments (KIP-455): the partitions whose owners are asked to hand them over, by whomever. As in Kafka the
 * replicas are the new ones, then those to be removed.
 */
public final class ListPartitionReassignmentsHandler implements ApiHandler {
    private final ControlPlane controlPlane;

    public ListPartitionReassignmentsHandler(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LIST_PARTITION_REASSIGNMENTS;
    }

    @Override
    public void handle(Request request) {
        ListPartitionReassignmentsRequestData asked = ((ListPartitionReassignmentsRequest) request.body()).data();
        ClusterImage image = controlPlane.image();
        ListPartitionReassignmentsResponseData answer =
                new ListPartitionReassignmentsResponseData().setErrorMessage(null);
        if (asked.topics() == null) {
            image.topics().forEach(topic -> topic.streams().forEach(id -> add(image, id, answer)));
        } else {
            asked.topics().forEach(topic -> addSome(image, topic, answer));
        }
        request.respond(new ListPartitionReassignmentsResponse(answer));
    }

    private static void addSome(
            ClusterImage image, ListPartitionReassignmentsTopics asked, ListPartitionReassignmentsResponseData answer) {
        TopicState topic = image.topic(asked.name()).orElse(null);
        if (topic == null) {
            return;
        }
        for (int partition : asked.partitionIndexes()) {
            if (partition >= 0 && partition < topic.streams().size()) {
                add(image, topic.streams().get(partition), answer);
            }
        }
    }

    /** Partitions of a topic come one after the other. */
    private static void add(ClusterImage image, long streamId, ListPartitionReassignmentsResponseData answer) {
        StreamState stream = image.stream(streamId).orElse(null);
        if (stream == null || stream.targetNodeId() < 0 || stream.targetNodeId() == stream.ownerNodeId()) {
            return;
        }
        List<OngoingTopicReassignment> topics = answer.topics();
        OngoingTopicReassignment last = topics.isEmpty() ? null : topics.get(topics.size() - 1);
        if (last == null || !last.name().equals(stream.topic())) {
            last = new OngoingTopicReassignment().setName(stream.topic());
            topics.add(last);
        }
        last.partitions()
                .add(new OngoingPartitionReassignment()
                        .setPartitionIndex(stream.partition())
                        .setReplicas(List.of(stream.targetNodeId(), stream.ownerNodeId()))
                        .setAddingReplicas(List.of(stream.targetNodeId()))
                        .setRemovingReplicas(List.of(stream.ownerNodeId())));
    }
}
