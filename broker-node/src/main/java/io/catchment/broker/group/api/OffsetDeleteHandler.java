package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import java.util.function.Supplier;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetDeleteRequest;
import org.apache.kafka.common.requests.OffsetDeleteResponse;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** Forgets committed offsets of partitions that exist; the others get UNKNOWN_TOPIC_OR_PARTITION. */
final class OffsetDeleteHandler implements ApiHandler {
    private final GroupCoordinator coordinator;
    private final Supplier<ClusterImage> image;

    OffsetDeleteHandler(GroupCoordinator coordinator, Supplier<ClusterImage> image) {
        this.coordinator = coordinator;
        this.image = image;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.OFFSET_DELETE;
    }

    @Override
    public void handle(Request request) {
        OffsetDeleteRequestData data = ((OffsetDeleteRequest) request.body()).data();
        OffsetDeleteResponse.Builder response = new OffsetDeleteResponse.Builder();
        OffsetDeleteRequestTopicCollection existing = keepExisting(data, response);
        if (existing.isEmpty()) {
            request.respond(response.build());
            return;
        }
        OffsetDeleteRequestData asked =
                new OffsetDeleteRequestData().setGroupId(data.groupId()).setTopics(existing);
        Answer.with(
                request,
                coordinator.deleteOffsets(request.context(), asked, BufferSupplier.NO_CACHING),
                deleted -> response.merge(deleted).build());
    }

    private OffsetDeleteRequestTopicCollection keepExisting(
            OffsetDeleteRequestData data, OffsetDeleteResponse.Builder response) {
        TopicNames topics = new TopicNames(image.get());
        OffsetDeleteRequestTopicCollection existing = new OffsetDeleteRequestTopicCollection();
        for (OffsetDeleteRequestTopic topic : data.topics()) {
            OffsetDeleteRequestTopic kept = new OffsetDeleteRequestTopic().setName(topic.name());
            for (OffsetDeleteRequestPartition partition : topic.partitions()) {
                if (topics.exists(topic.name(), partition.partitionIndex())) {
                    kept.partitions().add(partition);
                } else {
                    response.addPartition(topic.name(), partition.partitionIndex(), Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }
            }
            if (!kept.partitions().isEmpty()) {
                existing.add(kept);
            }
        }
        return existing;
    }
}
