package io.catchment.controlplane;

import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * A stream: one partition of a topic.
 *
 * @param ownerNodeId who may append, -1 if nobody
 * @param ownerNodeEpoch the node epoch in which the owner opened it; older than the node's present epoch: not open
 * @param epoch Kafka's leader epoch
 * @param epochStarts epoch to its first offset, ascending
 * @param catalog published ranges, contiguous and ascending (O2)
 * @param checkpoint newest published checkpoint
 */
public record StreamState(
        long streamId,
        Uuid topicId,
        String topic,
        int partition,
        int ownerNodeId,
        long ownerNodeEpoch,
        int epoch,
        List<EpochStart> epochStarts,
        long logStartOffset,
        List<StreamRange> catalog,
        @Nullable Checkpoint checkpoint) {

    public record EpochStart(int epoch, long startOffset) {}

    public record Checkpoint(long offset, long objectId, long position, int length) {}

    /** Where the published part ends; the log start if nothing is published. */
    public long catalogEndOffset() {
        return catalog.isEmpty()
                ? logStartOffset
                : catalog.get(catalog.size() - 1).endOffset();
    }

    /** The published range that holds the offset, by binary search. */
    public Optional<StreamRange> range(long offset) {
        int low = 0;
        int high = catalog.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            StreamRange range = catalog.get(middle);
            if (offset < range.baseOffset()) {
                high = middle - 1;
            } else if (offset >= range.endOffset()) {
                low = middle + 1;
            } else {
                return Optional.of(range);
            }
        }
        return Optional.empty();
    }
}
