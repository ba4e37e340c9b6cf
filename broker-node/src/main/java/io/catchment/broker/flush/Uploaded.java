package io.catchment.broker.flush;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.BundleBuilder.BuiltCheckpoint;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import java.util.ArrayList;
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

    /** What one command publishes; {@code partial}: more is to follow. */
    record Part(List<Command.NewRange> ranges, List<Command.NewCheckpoint> checkpoints, boolean partial) {}

    /**
     * What is to be published next by this image. If all of it fits into one command it is one; else the ranges come first, as far as it is their turn, then the checkpoints:
     * none is ahead of its stream's ranges. The last part ends the flush, so all others must have been answered before, and this image must show what they did.
     */
    Part next(ClusterImage image, int entriesMax) {
        boolean all = turn(image) == Turn.ALL;
        if (ranges.size() + checkpoints.size() <= entriesMax) {
            return new Part(ranges, checkpoints, !all);
        }
        List<Command.NewRange> due = due(image);
        if (all && due.size() + checkpoints.size() <= entriesMax) {
            return new Part(due, checkpoints, false);
        }
        return !all || !due.isEmpty()
                ? new Part(due.subList(0, Math.min(entriesMax, due.size())), List.of(), true)
                : new Part(List.of(), checkpoints.subList(0, entriesMax), true);
    }

    /** The ranges whose turn it is, in their order: what is gone or published is not among them, nor what comes behind a gap. */
    private List<Command.NewRange> due(ClusterImage image) {
        Map<Long, Long> ends = new HashMap<>();
        List<Command.NewRange> due = new ArrayList<>();
        for (Command.NewRange range : ranges) {
            Optional<StreamState> stream = image.stream(range.streamId());
            if (stream.isPresent()) {
                long end = ends.getOrDefault(range.streamId(), stream.get().catalogEndOffset());
                if (range.baseOffset() <= end && range.endOffset() > end) {
                    due.add(range);
                    ends.put(range.streamId(), range.endOffset());
                }
            }
        }
        return due;
    }

    /** The part was answered. Which ranges are left the image tells; checkpoints are not asked for again, whether they were taken or not. */
    Uploaded after(Part part) {
        return new Uploaded(
                objectId,
                objectBytes,
                ranges,
                part.ranges().isEmpty() && part.partial()
                        ? checkpoints.subList(part.checkpoints().size(), checkpoints.size())
                        : checkpoints);
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
