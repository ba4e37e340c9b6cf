package io.catchment.broker.extents;

import io.catchment.broker.read.StreamExtents;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.wal.FrameEntry;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/** What other nodes' stores show of an extent that is not here: see {@link StreamExtents}. Fails when no holder answers. Thread-safe. */
interface FramesElsewhere {
    /** Those that have frames in it. */
    CompletionStage<Set<Long>> streams(ClusterImage image, ExtentState extent);

    CompletionStage<List<FrameEntry>> frames(ClusterImage image, ExtentState extent, long streamId);

    static FramesElsewhere of(StreamExtents extents) {
        return new FramesElsewhere() {
            @Override
            public CompletionStage<Set<Long>> streams(ClusterImage image, ExtentState extent) {
                return extents.streams(image, extent)
                        .thenApply(
                                streams -> Arrays.stream(streams.ids()).boxed().collect(Collectors.toSet()));
            }

            @Override
            public CompletionStage<List<FrameEntry>> frames(ClusterImage image, ExtentState extent, long streamId) {
                return extents.frames(image, extent, streamId);
            }
        };
    }
}
