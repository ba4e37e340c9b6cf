package io.catchment.broker.near;

import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.StreamExtents;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamState;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.Lane;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * How far the copies that this node keeps as a replica of the WAL show a stream. They hear some milliseconds after the owner what is
 * acknowledged; who reads a record before that would fetch it over the wire from the zone that is to be spared. Thread-safe.
 */
final class OwnCopies {
    /** Of one writer in one lane: the open extent, the next one, and one that was just sealed. */
    private static final int EXTENTS_MAX = 3;

    private final StreamExtents extents;
    private final int nodeId;
    private final Supplier<ClusterImage> image;
    private final Function<String, Lane> lanes;

    /** @param lanes of a topic's records */
    OwnCopies(StreamExtents extents, int nodeId, Supplier<ClusterImage> image, Function<String, Lane> lanes) {
        this.extents = extents;
        this.nodeId = nodeId;
        this.image = image;
        this.lanes = lanes;
    }

    /** Empty when this node has no copy of what the owner writes now: then there is nothing to wait for. May wait for the disk. */
    OptionalLong visibleEnd(PartitionView partition) {
        ClusterImage now = image.get();
        StreamState stream = now.stream(partition.streamId()).orElse(null);
        if (stream == null) {
            return OptionalLong.empty();
        }
        int lane = lanes.apply(partition.topicPartition().topic()).id();
        List<ExtentState> candidates = extents.unflushed(now, stream);
        boolean writtenHereToo = false;
        long end = -1;
        int looked = 0;
        for (int i = candidates.size() - 1; i >= 0 && looked < EXTENTS_MAX; i--) {
            ExtentState extent = candidates.get(i);
            if (extent.lane() != lane
                    || extent.writerNodeId() != stream.ownerNodeId()
                    || extent.writerEpoch() != stream.ownerNodeEpoch()) {
                continue;
            }
            looked++;
            if (extent.ensemble().stream().anyMatch(store -> store.nodeId() == nodeId)) {
                writtenHereToo |= extent.phase() == ExtentState.Phase.OPEN;
                end = Math.max(end, endIn(extent.extentId(), partition.streamId()));
            }
        }
        return writtenHereToo ? OptionalLong.of(end) : OptionalLong.empty();
    }

    private long endIn(long extentId, long streamId) {
        try {
            Optional<FrameEntry> last = extents.wal().floor(extentId, streamId, Long.MAX_VALUE);
            return last.map(FrameEntry::endOffset).orElse(-1L);
        } catch (UncheckedIOException unreadable) {
            return -1;
        }
    }
}
