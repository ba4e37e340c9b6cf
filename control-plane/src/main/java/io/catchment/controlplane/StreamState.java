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
 * @param manifests where the ranges before the catalog's are listed, oldest first; none without a catalog behind
 * @param catalog the newest published ranges; with those in manifests they are contiguous and ascending (O2)
 * @param checkpoint newest published checkpoint
 * @param preferredNodeId who should own it when that node is well (Kafka's preferred leader), -1 if nobody
 * @param pinned assigned by hand: the balancer leaves it alone
 * @param targetNodeId to whom the owner is asked to hand it over, -1 when it is to stay
 * @param writers which nodes, in which of their epochs, may have unflushed extents with frames of it; the present owner's too
 * @param handover what the last owner left for this epoch's; null when it left without a word or others had the stream since
 * @param cleanedTo key compaction has seen all keys below this offset: what is published from here on is dirty; 0 before the first one
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
        List<ManifestRef> manifests,
        List<StreamRange> catalog,
        @Nullable Checkpoint checkpoint,
        int preferredNodeId,
        boolean pinned,
        int targetNodeId,
        List<Writer> writers,
        @Nullable Handover handover,
        long cleanedTo) {

    public record EpochStart(int epoch, long startOffset) {}

    /** A node in one of its epochs. */
    public record Writer(int nodeId, long nodeEpoch) {}

    /**
     * A planned change of owner, by reference.
     *
     * @param endOffset where the stream ended, all of it acknowledged
     * @param extentId where the producers' state lies: a checkpoint frame's payload at the position, of so many bytes; 0: nowhere
     */
    public record Handover(long endOffset, long extentId, long position, int length) {}

    /** Without anything of a move, and without manifests. */
    public StreamState(
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
        this(
                streamId,
                topicId,
                topic,
                partition,
                ownerNodeId,
                ownerNodeEpoch,
                epoch,
                epochStarts,
                logStartOffset,
                List.of(),
                catalog,
                checkpoint,
                ownerNodeId,
                false,
                -1,
                List.of(),
                null,
                0);
    }

    /**
     * A published checkpoint of the stream's producers.
     *
     * @param extentId whose frame it was; as long as somebody still holds the extent, the frame is there too
     */
    public record Checkpoint(long offset, long objectId, long position, int length, long extentId) {}

    /** Where the published part ends; the log start if nothing is published. */
    public long catalogEndOffset() {
        return catalog.isEmpty()
                ? logStartOffset
                : catalog.get(catalog.size() - 1).endOffset();
    }

    /** Bytes of all published ranges. */
    public long publishedBytes() {
        long bytes = 0;
        for (ManifestRef manifest : manifests) {
            bytes += manifest.bytes();
        }
        for (StreamRange range : catalog) {
            bytes += range.length();
        }
        return bytes;
    }

    /** The manifest that lists the range with the offset. */
    public Optional<ManifestRef> manifest(long offset) {
        for (ManifestRef manifest : manifests) {
            if (manifest.holds(offset)) {
                return Optional.of(manifest);
            }
        }
        return Optional.empty();
    }

    /** The published range that holds the offset, unless it is in a manifest. */
    public Optional<StreamRange> range(long offset) {
        int index = rangeIndex(offset);
        return index < 0 ? Optional.empty() : Optional.of(catalog.get(index));
    }

    /** In the catalog, of the range that holds the offset, by binary search; -1 if none does. */
    public int rangeIndex(long offset) {
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
                return middle;
            }
        }
        return -1;
    }
}
