package io.catchment.broker.flush;

import io.catchment.controlplane.Command;
import io.catchment.objectstore.BundleBuilder.BuiltCheckpoint;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import java.util.List;

/**
 * What is left to do for an extent: publish this.
 *
 * @param objectId -1 if none of its streams exists any more
 */
record Uploaded(
        long objectId, long objectBytes, List<Command.NewRange> ranges, List<Command.NewCheckpoint> checkpoints) {
    static final Uploaded NOTHING = new Uploaded(-1, 0, List.of(), List.of());

    static Uploaded of(long objectId, long objectBytes, List<BuiltRange> ranges, List<BuiltCheckpoint> checkpoints) {
        return new Uploaded(
                objectId,
                objectBytes,
                ranges.stream().map(Uploaded::range).toList(),
                checkpoints.stream().map(Uploaded::checkpoint).toList());
    }

    private static Command.NewRange range(BuiltRange range) {
        return new Command.NewRange(
                range.streamId(),
                range.baseOffset(),
                range.endOffset(),
                range.position(),
                range.length(),
                range.maxEventTimeMs(),
                range.maxAppendTimeMs());
    }

    private static Command.NewCheckpoint checkpoint(BuiltCheckpoint checkpoint) {
        return new Command.NewCheckpoint(
                checkpoint.streamId(), checkpoint.offset(), checkpoint.position(), checkpoint.length());
    }
}
