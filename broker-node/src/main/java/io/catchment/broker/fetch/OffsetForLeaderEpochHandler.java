package io.catchment.broker.fetch;

import io.catchment.broker.network.Request;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochRequest;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochResponse;

/** OffsetForLeaderEpoch: where an epoch of a partition ends (KIP-101, KIP-320). Immutable. */
public final class OffsetForLeaderEpochHandler implements ApiHandler {
    private final PartitionLookup lookup;

    public OffsetForLeaderEpochHandler(PartitionDirectory partitions, Supplier<ClusterImage> image) {
        this.lookup = new PartitionLookup(partitions, image);
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.OFFSET_FOR_LEADER_EPOCH;
    }

    @Override
    public void handle(Request request) {
        OffsetsForLeaderEpochRequest body = (OffsetsForLeaderEpochRequest) request.body();
        OffsetForLeaderEpochResponseData answer = new OffsetForLeaderEpochResponseData();
        body.data().topics().forEach(topic -> {
            OffsetForLeaderTopicResult result = new OffsetForLeaderTopicResult().setTopic(topic.topic());
            topic.partitions().forEach(partition -> result.partitions().add(endOffset(topic.topic(), partition)));
            answer.topics().add(result);
        });
        request.respond(new OffsetsForLeaderEpochResponse(answer));
    }

    private EpochEndOffset endOffset(String topic, OffsetForLeaderPartition asked) {
        EpochEndOffset result = new EpochEndOffset().setPartition(asked.partition());
        PartitionView view = lookup.serving(topic, Uuid.ZERO_UUID, asked.partition());
        Errors error = view == null
                ? lookup.missing(topic, Uuid.ZERO_UUID, asked.partition())
                : PartitionLookup.checkEpoch(view, asked.currentLeaderEpoch());
        if (view == null || error != Errors.NONE) {
            return result.setErrorCode(error.code());
        }
        EpochEnd end = EpochEnd.of(view.epochStarts(), asked.leaderEpoch(), view.highWatermark());
        return result.setLeaderEpoch(end.epoch()).setEndOffset(end.endOffset());
    }
}
