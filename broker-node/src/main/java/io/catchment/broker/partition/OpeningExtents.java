package io.catchment.broker.partition;

import io.catchment.broker.read.StreamExtents;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.StreamState;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The frames of the streams of one opening round. Owned by the opener's thread, which reads the indexes of what is whole on this node's
 * disk; other nodes are asked asynchronously: once for each extent which streams it has, then for the frames of those.
 *
 * <p>A sealed extent of a stream's writers must be seen whole, here or elsewhere, before it counts as having nothing of the stream. An
 * open one may show less than it has, and its holders need not answer: its writer lives and has given the stream away, so all it wrote ends
 * where a later epoch starts, and {@link StreamFrames#endOffset} knows what is missing.
 */
final class OpeningExtents {
    private static final Logger LOG = LoggerFactory.getLogger(OpeningExtents.class);
    private static final int REQUESTS_MAX = 64;

    private final StreamExtents extents;
    private final RequestGate gate = new RequestGate(REQUESTS_MAX);
    private final Map<Long, Known> known = new HashMap<>();
    private @Nullable ClusterImage localOf;
    private List<ExtentState> local = List.of();

    /** @param sealed the extent was when they were asked for: then they are final */
    private record Known(boolean sealed, CompletableFuture<StreamExtents.Streams> streams) {}

    OpeningExtents(StreamExtents extents) {
        this.extents = extents;
    }

    /**
     * What this node's disk shows, and which extents are to be asked for elsewhere.
     *
     * @param frames by extent
     */
    record Here(TreeMap<Long, List<FrameEntry>> frames, List<ExtentState> elsewhere) {}

    /**
     * @param doubtful something was missing before: what is open is asked for elsewhere even if this node writes it
     * @throws StreamNotReadableException while an extent of its writers is being recovered, or when one was deleted meanwhile
     */
    Here here(ClusterImage image, StreamState stream, boolean doubtful) {
        Here here = new Here(new TreeMap<>(), new ArrayList<>());
        Set<Long> ofWriters = new HashSet<>();
        for (ExtentState extent : extents.unflushed(image, stream)) {
            ofWriters.add(extent.extentId());
            if (extent.phase() == Phase.RECOVERING) {
                throw new StreamNotReadableException(StreamFrames.name(stream) + " cannot be opened before extent "
                        + extent.extentId() + " of node " + extent.writerNodeId() + " is recovered");
            }
            if (!addHere(here, extent, stream, doubtful)) {
                here.elsewhere().add(extent);
            }
        }
        for (ExtentState extent : local(image)) {
            boolean mayBeOlder = stream.writers().isEmpty() || extents.isOfThisNode(extent);
            if (mayBeOlder && !ofWriters.contains(extent.extentId())) {
                readHere(here, extent.extentId(), stream.streamId());
            }
        }
        return here;
    }

    /** Adds what this node's store shows of the extent; whether that is all there is to see. */
    private boolean addHere(Here here, ExtentState extent, StreamState stream, boolean doubtful) {
        boolean whole = extents.isWholeHere(extent);
        if (extent.isSealed() && !whole) {
            return false;
        }
        try {
            readHere(here, extent.extentId(), stream.streamId());
        } catch (UncheckedIOException e) {
            LOG.warn("The index of extent {} cannot be read here: {}", extent.extentId(), e.getMessage());
            return false;
        }
        if (whole && !extents.isWholeHere(extent)) {
            throw new StreamNotReadableException(
                    "extent " + extent.extentId() + " was deleted while " + StreamFrames.name(stream) + " was read");
        }
        return whole || (extents.isWrittenHere(extent) && (extents.isAlone() || !doubtful));
    }

    private void readHere(Here here, long extentId, long streamId) {
        List<FrameEntry> frames = extents.wal().index(extentId, streamId);
        if (!frames.isEmpty()) {
            here.frames().put(extentId, frames);
        }
    }

    /** The frame of a published checkpoint in the extent it was flushed from, here or elsewhere. Fails when nobody has it any more. */
    CompletionStage<FrameEntry> flushedCheckpoint(
            ClusterImage image, ExtentState extent, StreamState stream, StreamState.Checkpoint checkpoint) {
        long streamId = stream.streamId();
        CompletionStage<List<FrameEntry>> index;
        if (extents.isWholeHere(extent)) {
            index = CompletableFuture.completedStage(indexHere(extent, streamId));
        } else if (extents.isAlone()) {
            index = CompletableFuture.completedStage(List.of());
        } else {
            index = streams(image, extent)
                    .thenCompose(streams -> gate.run(() -> extents.index(image, extent, streamId, streams.holder())));
        }
        return index.thenApply(frames -> frames.stream()
                .filter(frame -> frame.kind() == FrameKind.CHECKPOINT
                        && frame.baseOffset() == checkpoint.offset()
                        && frame.payloadLength() == checkpoint.length())
                .findFirst()
                .orElseThrow(() -> new NoSuchElementException("extent " + extent.extentId() + " shows no checkpoint of "
                        + StreamFrames.name(stream) + " at " + checkpoint.offset())));
    }

    private List<FrameEntry> indexHere(ExtentState extent, long streamId) {
        try {
            return extents.wal().index(extent.extentId(), streamId);
        } catch (UncheckedIOException e) {
            LOG.warn("The index of extent {} cannot be read here: {}", extent.extentId(), e.getMessage());
            return List.of();
        }
    }

    /** Of this node's store: streams from before their writers were recorded may have frames in any. */
    private List<ExtentState> local(ClusterImage image) {
        if (localOf != image) {
            localOf = image;
            local = new ArrayList<>();
            for (long extentId : extents.wal().extents()) {
                image.extent(extentId)
                        .filter(extent -> extent.phase() != Phase.FLUSHED)
                        .ifPresent(local::add);
            }
        }
        return local;
    }

    /** Adds what other nodes show. Completes on any thread; fails when a sealed extent is shown whole by nobody. */
    CompletionStage<Here> withElsewhere(ClusterImage image, StreamState stream, Here here, boolean doubtful) {
        List<CompletableFuture<List<FrameEntry>>> answers = new ArrayList<>();
        for (ExtentState extent : here.elsewhere()) {
            answers.add((extent.isSealed()
                            ? sealed(image, extent, stream.streamId())
                            : open(image, extent, stream.streamId(), doubtful))
                    .toCompletableFuture());
        }
        return CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> {
                    for (int i = 0; i < answers.size(); i++) {
                        List<FrameEntry> frames = answers.get(i).join();
                        long extentId = here.elsewhere().get(i).extentId();
                        if (frames.size()
                                > here.frames()
                                        .getOrDefault(extentId, List.of())
                                        .size()) {
                            here.frames().put(extentId, frames);
                        }
                    }
                    return here;
                });
    }

    private CompletionStage<List<FrameEntry>> sealed(ClusterImage image, ExtentState extent, long streamId) {
        return streams(image, extent)
                .thenCompose(streams -> streams.has(streamId)
                        ? gate.run(() -> extents.index(image, extent, streamId, streams.holder()))
                        : CompletableFuture.completedStage(List.of()));
    }

    private CompletionStage<List<FrameEntry>> open(
            ClusterImage image, ExtentState extent, long streamId, boolean doubtful) {
        CompletionStage<List<FrameEntry>> frames = doubtful
                ? gate.run(() -> extents.longestIndex(image, extent, streamId))
                : streams(image, extent)
                        .thenCompose(streams -> streams.has(streamId)
                                ? gate.run(() -> extents.longestIndex(image, extent, streamId))
                                : CompletableFuture.completedStage(List.of()));
        return frames.exceptionally(unreachable -> List.of());
    }

    private CompletionStage<StreamExtents.Streams> streams(ClusterImage image, ExtentState extent) {
        Known before = known.get(extent.extentId());
        if (before != null
                && before.sealed() == extent.isSealed()
                && !before.streams().isCompletedExceptionally()) {
            return before.streams();
        }
        CompletableFuture<StreamExtents.Streams> streams =
                gate.run(() -> extents.streams(image, extent)).toCompletableFuture();
        known.put(extent.extentId(), new Known(extent.isSealed(), streams));
        return streams;
    }
}
