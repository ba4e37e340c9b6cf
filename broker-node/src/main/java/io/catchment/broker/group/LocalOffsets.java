package io.catchment.broker.group;

import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.util.PartitionMetadataClient;

/** End offsets of the partitions this node serves; the coordinator wants them for share groups only. Immutable. */
final class LocalOffsets implements PartitionMetadataClient {
    private final PartitionDirectory partitions;

    LocalOffsets(PartitionDirectory partitions) {
        this.partitions = partitions;
    }

    @Override
    public Map<TopicPartition, CompletableFuture<OffsetResponse>> listLatestOffsets(Set<TopicPartition> asked) {
        Map<TopicPartition, CompletableFuture<OffsetResponse>> answers = new HashMap<>();
        for (TopicPartition partition : asked) {
            answers.put(partition, CompletableFuture.completedFuture(endOffset(partition)));
        }
        return answers;
    }

    private OffsetResponse endOffset(TopicPartition partition) {
        PartitionView view = partitions.find(partition.topic(), partition.partition());
        return view == null || !view.serving()
                ? new OffsetResponse(-1, Errors.NOT_LEADER_OR_FOLLOWER)
                : new OffsetResponse(view.highWatermark(), Errors.NONE);
    }

    @Override
    public void close() {}
}
