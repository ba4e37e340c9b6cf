package io.catchment.broker.extents;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.wal.FrameEntry;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/** Frames in extents on other nodes' stores, as the test says; extents of which it says nothing cannot be asked for. Owned by the test's thread. */
final class FakeElsewhere implements FramesElsewhere {
    /** By extent. */
    final Map<Long, List<FrameEntry>> frames = new HashMap<>();

    @Override
    public CompletionStage<Set<Long>> streams(ClusterImage image, ExtentState extent) {
        return of(extent)
                .thenApply(all -> all.stream().map(FrameEntry::streamId).collect(Collectors.toSet()));
    }

    @Override
    public CompletionStage<List<FrameEntry>> frames(ClusterImage image, ExtentState extent, long streamId) {
        return of(extent).thenApply(all -> all.stream()
                .filter(frame -> frame.streamId() == streamId)
                .toList());
    }

    private CompletionStage<List<FrameEntry>> of(ExtentState extent) {
        List<FrameEntry> known = frames.get(extent.extentId());
        return known == null
                ? CompletableFuture.failedStage(
                        new IOException("injected: no holder of " + extent.extentId() + " answers"))
                : CompletableFuture.completedStage(known);
    }
}
