package io.catchment.broker.transaction.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.TxnOffsetCommitRequest;
import org.apache.kafka.common.requests.TxnOffsetCommitResponse;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** TxnOffsetCommit: offsets that count when their transaction commits. Offsets of partitions that do not exist are refused one by one. */
final class TxnOffsetCommitHandler implements ApiHandler {
    private final GroupCoordinator coordinator;
    private final Supplier<ClusterImage> image;

    TxnOffsetCommitHandler(GroupCoordinator coordinator, Supplier<ClusterImage> image) {
        this.coordinator = coordinator;
        this.image = image;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.TXN_OFFSET_COMMIT;
    }

    @Override
    public void handle(Request request) {
        TxnOffsetCommitRequestData data = ((TxnOffsetCommitRequest) request.body()).data();
        boolean byId = TxnOffsetCommitResponse.useTopicIds(request.header().apiVersion());
        TxnOffsetCommitResponse.Builder response = TxnOffsetCommitResponse.newBuilder(byId);
        List<TxnOffsetCommitRequestTopic> valid = new ArrayList<>();
        ClusterImage now = image.get();
        for (TxnOffsetCommitRequestTopic topic : data.topics()) {
            Optional<TopicState> known = byId ? now.topic(topic.topicId()) : now.topic(topic.name());
            if (byId) {
                topic.setName(known.map(TopicState::name).orElse(""));
            }
            TxnOffsetCommitRequestTopic existing = existing(topic, known, response, byId);
            if (!existing.partitions().isEmpty()) {
                valid.add(existing);
            }
        }
        if (valid.isEmpty()) {
            request.respond(response.build());
            return;
        }
        Answering.with(
                request,
                coordinator.commitTransactionalOffsets(
                        request.context(), data.setTopics(valid), BufferSupplier.NO_CACHING),
                committed -> response.merge(committed).build());
    }

    private static TxnOffsetCommitRequestTopic existing(
            TxnOffsetCommitRequestTopic topic,
            Optional<TopicState> known,
            TxnOffsetCommitResponse.Builder response,
            boolean byId) {
        Errors unknown = byId && known.isEmpty() ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION;
        TxnOffsetCommitRequestTopic existing =
                new TxnOffsetCommitRequestTopic().setTopicId(topic.topicId()).setName(topic.name());
        // kept with the offset, however the client names the topic
        known.map(TopicState::topicId).ifPresent(existing::setTopicId);
        for (TxnOffsetCommitRequestPartition partition : topic.partitions()) {
            int index = partition.partitionIndex();
            if (known.filter(state -> index >= 0 && index < state.streams().size())
                    .isPresent()) {
                existing.partitions().add(partition);
            } else {
                response.addPartition(topic.topicId(), topic.name(), index, unknown);
            }
        }
        return existing;
    }
}
