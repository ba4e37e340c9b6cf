package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetFetchRequest;
import org.apache.kafka.common.requests.OffsetFetchResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/**
 * Offsets of one group, or from version 8 on of several; of named partitions or of all. From version 10 on topics come and go
 * by id. A group that fails gets its error and does not spoil the others.
 */
final class OffsetFetchHandler implements ApiHandler {
    private final GroupCoordinator coordinator;
    private final Supplier<ClusterImage> image;

    OffsetFetchHandler(GroupCoordinator coordinator, Supplier<ClusterImage> image) {
        this.coordinator = coordinator;
        this.image = image;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.OFFSET_FETCH;
    }

    @Override
    public void handle(Request request) {
        OffsetFetchRequest body = (OffsetFetchRequest) request.body();
        short version = request.header().apiVersion();
        TopicNames topics = new TopicNames(image.get());
        List<CompletableFuture<OffsetFetchResponseGroup>> answers = new ArrayList<>();
        for (OffsetFetchRequestGroup group : body.groups()) {
            answers.add(fetch(request.context(), group, body.requireStable(), topics, version)
                    .exceptionally(failure ->
                            OffsetFetchResponse.groupError(group, Errors.forException(Answer.cause(failure)), version))
                    .toCompletableFuture());
        }
        Answer.with(
                request,
                CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new)),
                done -> new OffsetFetchResponse.Builder(
                                answers.stream().map(CompletableFuture::join).toList())
                        .build(version));
    }

    private CompletionStage<OffsetFetchResponseGroup> fetch(
            RequestContext context,
            OffsetFetchRequestGroup group,
            boolean requireStable,
            TopicNames topics,
            short version) {
        boolean byId = OffsetFetchRequest.useTopicIds(version);
        if (OffsetFetchRequest.requestAllOffsets(group)) {
            return coordinator
                    .fetchOffsets(context, group, requireStable)
                    .thenApply(answer -> byId ? withTopicIds(answer, topics) : answer);
        }
        List<OffsetFetchRequestTopics> known = new ArrayList<>(group.topics().size());
        List<OffsetFetchResponseTopics> unknown = new ArrayList<>();
        for (OffsetFetchRequestTopics topic : group.topics()) {
            if (byId) {
                topics.nameOf(topic.topicId()).ifPresent(topic::setName);
            }
            if (byId && topic.name().isEmpty()) {
                unknown.add(failed(topic, Errors.UNKNOWN_TOPIC_ID));
            } else {
                known.add(topic);
            }
        }
        OffsetFetchRequestGroup asked = new OffsetFetchRequestGroup()
                .setGroupId(group.groupId())
                .setMemberId(group.memberId())
                .setMemberEpoch(group.memberEpoch())
                .setTopics(known);
        return coordinator.fetchOffsets(context, asked, requireStable).thenApply(answer -> {
            if (answer.errorCode() == Errors.NONE.code() && !unknown.isEmpty()) {
                List<OffsetFetchResponseTopics> all = new ArrayList<>(answer.topics());
                all.addAll(unknown);
                answer.setTopics(all);
            }
            return answer;
        });
    }

    /** The coordinator knows some offsets by name only; a topic that has no id any more cannot be told by id: it is left out. */
    private static OffsetFetchResponseGroup withTopicIds(OffsetFetchResponseGroup answer, TopicNames topics) {
        List<OffsetFetchResponseTopics> withIds =
                new ArrayList<>(answer.topics().size());
        for (OffsetFetchResponseTopics topic : answer.topics()) {
            if (topic.topicId().equals(Uuid.ZERO_UUID)) {
                topics.idOf(topic.name()).ifPresent(topic::setTopicId);
            }
            if (!topic.topicId().equals(Uuid.ZERO_UUID)) {
                withIds.add(topic);
            }
        }
        return answer.setTopics(withIds);
    }

    private static OffsetFetchResponseTopics failed(OffsetFetchRequestTopics topic, Errors error) {
        return new OffsetFetchResponseTopics()
                .setTopicId(topic.topicId())
                .setName(topic.name())
                .setPartitions(topic.partitionIndexes().stream()
                        .map(partition -> new OffsetFetchResponsePartitions()
                                .setPartitionIndex(partition)
                                .setErrorCode(error.code())
                                .setCommittedOffset(OffsetFetchResponse.INVALID_OFFSET)
                                .setMetadata(OffsetFetchResponse.NO_METADATA)
                                .setCommittedLeaderEpoch(-1))
                        .toList());
    }
}
