package io.catchment.broker.partition;

import io.catchment.broker.partition.PartitionView.EpochStart;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/**
 * What an owner knows of a stream when its epoch begins.
 *
 * @param compactedTo key compaction has seen all keys below it
 */
record OpenedStream(
        TopicPartition topicPartition,
        Uuid topicId,
        long streamId,
        int leaderEpoch,
        long logStartOffset,
        long compactedTo,
        long endOffset,
        List<EpochStart> epochStarts) {
    OpenedStream {
        epochStarts = List.copyOf(epochStarts);
    }
}
