package io.catchment.broker.metadata;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.TopicState;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.Cursor;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponsePartition;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeTopicPartitionsRequest;
import org.apache.kafka.common.requests.DescribeTopicPartitionsResponse;
import org.apache.kafka.common.resource.ResourceType;

/** DescribeTopicPartitions (KIP-966): topics in the order of their names, page by page of at most so many partitions. */
public final class DescribeTopicPartitionsHandler implements ApiHandler {
    private final ControlPlane controlPlane;
    private final int partitionsMax;

    /** @param partitionsMax max.request.partition.size.limit */
    public DescribeTopicPartitionsHandler(ControlPlane controlPlane, int partitionsMax) {
        this.controlPlane = controlPlane;
        this.partitionsMax = partitionsMax;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_TOPIC_PARTITIONS;
    }

    @Override
    public void handle(Request request) {
        DescribeTopicPartitionsRequestData asked = ((DescribeTopicPartitionsRequest) request.body()).data();
        ClusterImage image = controlPlane.image();
        NavigableSet<String> names = names(asked, image);
        int remaining = Math.max(Math.min(partitionsMax, asked.responsePartitionLimit()), 1);
        DescribeTopicPartitionsResponseData answer = new DescribeTopicPartitionsResponseData();
        for (String name : names) {
            if (remaining == 0) {
                answer.setNextCursor(new Cursor().setTopicName(name).setPartitionIndex(0));
                break;
            }
            TopicState topic = image.topic(name).orElse(null);
            if (topic == null) {
                answer.topics().add(unknown(name));
                continue;
            }
            int from = asked.cursor() != null && asked.cursor().topicName().equals(name)
                    ? asked.cursor().partitionIndex()
                    : 0;
            int to = (int) Math.min(topic.streams().size(), (long) from + remaining);
            answer.topics().add(known(topic, image, request.listener(), from, to));
            if (to < topic.streams().size()) {
                answer.setNextCursor(new Cursor().setTopicName(name).setPartitionIndex(to));
                break;
            }
            remaining -= Math.max(0, to - from);
        }
        request.respond(new DescribeTopicPartitionsResponse(answer));
    }

    private static NavigableSet<String> names(DescribeTopicPartitionsRequestData asked, ClusterImage image) {
        DescribeTopicPartitionsRequestData.Cursor cursor = asked.cursor();
        TreeSet<String> names = new TreeSet<>();
        if (asked.topics().isEmpty()) {
            image.topics().forEach(topic -> names.add(topic.name()));
        } else {
            asked.topics().forEach(topic -> names.add(topic.name()));
        }
        if (cursor == null) {
            return names;
        }
        if (!asked.topics().isEmpty() && !names.contains(cursor.topicName())) {
            throw new InvalidRequestException(
                    "DescribeTopicPartitionsRequest topic list should contain the cursor topic: " + cursor.topicName());
        }
        if (cursor.partitionIndex() < 0) {
            throw new InvalidRequestException(
                    "DescribeTopicPartitionsRequest cursor partition must be valid: " + cursor);
        }
        return names.tailSet(cursor.topicName(), true);
    }

    private static DescribeTopicPartitionsResponseTopic known(
            TopicState topic, ClusterImage image, String listener, int from, int to) {
        DescribeTopicPartitionsResponseTopic described = new DescribeTopicPartitionsResponseTopic()
                .setErrorCode(Errors.NONE.code())
                .setName(topic.name())
                .setTopicId(topic.topicId())
                .setIsInternal(Topic.isInternal(topic.name()))
                .setTopicAuthorizedOperations(Brokers.allOperations(ResourceType.TOPIC));
        for (int partition = from; partition < to; partition++) {
            MetadataResponsePartition known = PartitionDescriptions.describe(image, topic, partition, listener);
            described
                    .partitions()
                    .add(new DescribeTopicPartitionsResponsePartition()
                            .setPartitionIndex(partition)
                            .setLeaderId(known.leaderId())
                            .setLeaderEpoch(known.leaderEpoch())
                            .setReplicaNodes(known.replicaNodes())
                            .setIsrNodes(known.isrNodes())
                            .setOfflineReplicas(known.offlineReplicas())
                            .setEligibleLeaderReplicas(List.of())
                            .setLastKnownElr(List.of()));
        }
        return described;
    }

    private static DescribeTopicPartitionsResponseTopic unknown(String name) {
        Errors error = Errors.UNKNOWN_TOPIC_OR_PARTITION;
        try {
            Topic.validate(name);
        } catch (InvalidTopicException e) {
            error = Errors.INVALID_TOPIC_EXCEPTION;
        }
        return new DescribeTopicPartitionsResponseTopic()
                .setErrorCode(error.code())
                .setName(name)
                .setTopicId(Uuid.ZERO_UUID)
                .setIsInternal(Topic.isInternal(name))
                .setTopicAuthorizedOperations(Brokers.allOperations(ResourceType.TOPIC));
    }
}
