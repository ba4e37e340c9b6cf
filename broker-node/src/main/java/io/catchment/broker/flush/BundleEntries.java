package io.catchment.broker.flush;

import io.catchment.controlplane.Command;
import io.catchment.objectstore.BundleBuilder.BuiltCheckpoint;
import io.catchment.objectstore.BundleBuilder.BuiltRange;

/** What is in a bundle, as the control plane is told. */
public final class BundleEntries {
    private BundleEntries() {}

    public static Command.NewRange range(BuiltRange range) {
        return new Command.NewRange(
                range.streamId(),
                range.baseOffset(),
                range.endOffset(),
                range.position(),
                range.length(),
                range.maxEventTimeMs(),
                range.maxAppendTimeMs());
    }

    public static Command.NewCheckpoint checkpoint(BuiltCheckpoint checkpoint) {
        return new Command.NewCheckpoint(
                checkpoint.streamId(), checkpoint.offset(), checkpoint.position(), checkpoint.length());
    }
}
