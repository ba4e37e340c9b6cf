package io.catchment.broker.flush;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.BundleBuilder.BuiltCheckpoint;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is left to do for an extent: publish this.
 *
 * @param objectId -1 if none of its streams exists any more
 */
record Uploaded(
        long objectId, long objectBytes, List<Command.NewRange> ranges, List<Command.NewCheckpoint> checkpoints) {
    /** Which of the ranges begin where their streams' catalogs end (O2). */
    enum Turn {
        ALL,
        SOME,
        NONE
    }

    /** Whose turn it is by this image; what is gone, or published already, keeps nobody waiting. */
    Turn turn(ClusterImage image) {
        Map<Long, Long> ends = new HashMap<>();
        boolean some = false;
        boolean all = true;
        for (Command.NewRange range : ranges) {
            Optional<StreamState> stream = image.stream(range.streamId());
            if (stream.isPresent()) {
                long end = ends.getOrDefault(range.streamId(), stream.get().catalogEndOffset());
                // The log may begin inside the first range that is published of it
                boolean holdsTheBeginning = stream.get().catalog().isEmpty()
                        && !ends.containsKey(range.streamId())
                        && range.baseOffset() < end
                        && range.endOffset() > end;
                some |= range.baseOffset() == end || holdsTheBeginning;
                all &= range.baseOffset() <= end;
                ends.put(range.streamId(), range.baseOffset() <= end ? Math.max(end, range.endOffset()) : end);
            }
        }
        return all ? Turn.ALL : some ? Turn.SOME : Turn.NONE;
    }

    static final Uploaded NOTHING = new Uploaded(-1, 0, List.of(), List.of());

    static Uploaded of(long objectId, long objectBytes, List<BuiltRange> ranges, List<BuiltCheckpoint> checkpoints) {
        return new Uploaded(
                objectId,
                objectBytes,
                ranges.stream().map(BundleEntries::range).toList(),
                checkpoints.stream().map(BundleEntries::checkpoint).toList());
    }
}
