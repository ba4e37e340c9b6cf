package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.AlterShareGroupOffsetsRequestData.AlterShareGroupOffsetsRequestTopic;
import org.apache.kafka.common.message.AlterShareGroupOffsetsRequestData.AlterShareGroupOffsetsRequestTopicCollection;
import org.apache.kafka.common.message.AlterShareGroupOffsetsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.AlterShareGroupOffsetsRequest;
import org.apache.kafka.common.requests.AlterShareGroupOffsetsResponse;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.image.TopicsImage;

/** A share group without members starts elsewhere. */
final class AlterShareGroupOffsetsHandler implements ApiHandler {
    private final GroupCoordinator coordinator;
    private final Supplier<ClusterImage> image;

    AlterShareGroupOffsetsHandler(GroupCoordinator coordinator, Supplier<ClusterImage> image) {
        this.coordinator = coordinator;
        this.image = image;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ALTER_SHARE_GROUP_OFFSETS;
    }

    @Override
    public void handle(Request request) {
        AlterShareGroupOffsetsRequest body = (AlterShareGroupOffsetsRequest) request.body();
        TopicsImage topics = image.get().metadata().topics();
        Map<String, Uuid> ids = topics.topicNameToIdView();
        AlterShareGroupOffsetsResponse.Builder answer = new AlterShareGroupOffsetsResponse.Builder();
        AlterShareGroupOffsetsRequestTopicCollection known = new AlterShareGroupOffsetsRequestTopicCollection();
        body.data().topics().forEach(asked -> {
            AlterShareGroupOffsetsRequestTopic topic = asked.duplicate();
            // The coordinator takes any number, and would keep a state of it
            topic.partitions().removeIf(partition -> {
                boolean unknown = topics.getPartition(
                                ids.getOrDefault(topic.topicName(), Uuid.ZERO_UUID), partition.partitionIndex())
                        == null;
                if (unknown) {
                    answer.addPartition(
                            topic.topicName(),
                            partition.partitionIndex(),
                            ids,
                            new ApiError(Errors.UNKNOWN_TOPIC_OR_PARTITION));
                }
                return unknown;
            });
            if (!topic.partitions().isEmpty()) {
                known.add(topic);
            }
        });
        String group = body.data().groupId();
        AlterShareGroupOffsetsRequestData asked =
                new AlterShareGroupOffsetsRequestData().setGroupId(group).setTopics(known);
        Answer.with(
                request,
                coordinator.alterShareGroupOffsets(request.context(), group, asked),
                altered -> response(body, answer, altered, ids));
    }

    private static AbstractResponse response(
            AlterShareGroupOffsetsRequest body,
            AlterShareGroupOffsetsResponse.Builder answer,
            AlterShareGroupOffsetsResponseData altered,
            Map<String, Uuid> ids) {
        return altered.errorCode() == Errors.NONE.code()
                ? answer.merge(altered, ids).build()
                : body.getErrorResponse(
                        AbstractResponse.DEFAULT_THROTTLE_TIME,
                        Errors.forCode(altered.errorCode()).exception(altered.errorMessage()));
    }
}
