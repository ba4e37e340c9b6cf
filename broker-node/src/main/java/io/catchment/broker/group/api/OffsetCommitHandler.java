package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.apache.kafka.common.requests.OffsetCommitResponse;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/**
 * Commits offsets of partitions that exist; the others get their error and do not keep the rest from being committed. From
 * version 10 on topics come by id.
 */
final class OffsetCommitHandler implements ApiHandler {
    private final GroupCoordinator coordinator;
    private final Supplier<ClusterImage> image;

    OffsetCommitHandler(GroupCoordinator coordinator, Supplier<ClusterImage> image) {
        this.coordinator = coordinator;
        this.image = image;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.OFFSET_COMMIT;
    }

    @Override
    public void handle(Request request) {
        OffsetCommitRequestData data = ((OffsetCommitRequest) request.body()).data();
        boolean byId = OffsetCommitResponse.useTopicIds(request.header().apiVersion());
        OffsetCommitResponse.Builder response = OffsetCommitResponse.newBuilder(byId);
        List<OffsetCommitRequestTopic> valid = keepValid(data, byId, response);
        if (valid.isEmpty()) {
            request.respond(response.build());
            return;
        }
        Answer.with(
                request,
                coordinator.commitOffsets(request.context(), data.setTopics(valid), BufferSupplier.NO_CACHING),
                committed -> response.merge(committed).build());
    }

    private List<OffsetCommitRequestTopic> keepValid(
            OffsetCommitRequestData data, boolean byId, OffsetCommitResponse.Builder response) {
        TopicNames topics = new TopicNames(image.get());
        List<OffsetCommitRequestTopic> valid = new ArrayList<>(data.topics().size());
        for (OffsetCommitRequestTopic topic : data.topics()) {
            if (byId) {
                topics.nameOf(topic.topicId()).ifPresent(topic::setName);
            }
            if (byId && topic.name().isEmpty()) {
                refuse(response, topic, Errors.UNKNOWN_TOPIC_ID);
            } else if (!topics.exists(topic.name())) {
                refuse(response, topic, Errors.UNKNOWN_TOPIC_OR_PARTITION);
            } else {
                OffsetCommitRequestTopic existing = keepExistingPartitions(topics, topic, response);
                if (!existing.partitions().isEmpty()) {
                    valid.add(existing);
                }
            }
        }
        return valid;
    }

    private static OffsetCommitRequestTopic keepExistingPartitions(
            TopicNames topics, OffsetCommitRequestTopic topic, OffsetCommitResponse.Builder response) {
        OffsetCommitRequestTopic existing =
                new OffsetCommitRequestTopic().setTopicId(topic.topicId()).setName(topic.name());
        // kept with the offset, however the client names the topic
        topics.idOf(topic.name()).ifPresent(existing::setTopicId);
        for (OffsetCommitRequestPartition partition : topic.partitions()) {
            if (topics.exists(topic.name(), partition.partitionIndex())) {
                existing.partitions().add(partition);
            } else {
                response.addPartition(
                        topic.topicId(), topic.name(), partition.partitionIndex(), Errors.UNKNOWN_TOPIC_OR_PARTITION);
            }
        }
        return existing;
    }

    private static void refuse(OffsetCommitResponse.Builder response, OffsetCommitRequestTopic topic, Errors error) {
        response.addPartitions(
                topic.topicId(), topic.name(), topic.partitions(), OffsetCommitRequestPartition::partitionIndex, error);
    }
}
