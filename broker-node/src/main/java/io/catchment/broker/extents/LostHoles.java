package io.catchment.broker.extents;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.Writer;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * Immutable. Tells which offsets are in no object and in no extent that somebody still has, of the streams of a writer whose extent is lost. A hole
 * ends where the next frame begins that somebody has, or else where the stream is known to have come to: at its last epoch's start, or a
 * published state of its producers.
 */
final class LostHoles {
    private final LocalStore wal;
    private final FramesElsewhere elsewhere;
    private final Executor loop;

    /** Offsets of one stream. */
    record Hole(StreamState stream, long fromOffset, long toOffset) {
        @Override
        public String toString() {
            return stream.topic() + "-" + stream.partition() + " offsets " + fromOffset + " to " + (toOffset - 1);
        }
    }

    /**
     * @param now at most one of each stream: where its published part ends
     * @param later behind frames that are in no object yet
     */
    record Found(List<Hole> now, List<Hole> later) {}

    /** @param loop the keeper's: indexes on this node's disk are read there */
    LostHoles(LocalStore wal, FramesElsewhere elsewhere, Executor loop) {
        this.wal = wal;
        this.elsewhere = elsewhere;
        this.loop = loop;
    }

    /**
     * Called on the loop, completes on any thread. Fails with {@link IllegalStateException} or {@link java.io.IOException} when what is left of a stream cannot be told yet.
     *
     * @param lost this extent, and others that nobody has
     */
    CompletionStage<Found> find(ClusterImage image, ExtentState extent, Set<Long> lost) {
        return new Search(image, lost).of(new Writer(extent.writerNodeId(), extent.writerEpoch()));
    }

    private final class Search {
        private final ClusterImage image;
        private final Map<Writer, List<ExtentState>> unflushed = new HashMap<>();
        private final Set<Long> here = new HashSet<>(wal.extents());
        private final Set<Long> unsettled = new HashSet<>(wal.unsettled());
        /** Each extent is asked once for its streams. */
        private final Map<Long, CompletionStage<Set<Long>>> streamsElsewhere = new HashMap<>();

        private final Found found = new Found(new ArrayList<>(), new ArrayList<>());

        Search(ClusterImage image, Set<Long> lost) {
            this.image = image;
            for (ExtentState each : image.extents()) {
                boolean mayHaveFrames = each.phase() != ExtentState.Phase.FLUSHED
                        && !(each.isSealed() && each.length() == 0)
                        && !lost.contains(each.extentId());
                if (mayHaveFrames) {
                    unflushed
                            .computeIfAbsent(
                                    new Writer(each.writerNodeId(), each.writerEpoch()), writer -> new ArrayList<>())
                            .add(each);
                }
            }
        }

        CompletionStage<Found> of(Writer writer) {
            CompletionStage<Void> all = CompletableFuture.completedStage(null);
            for (StreamState stream : image.streams()) {
                if (stream.writers().contains(writer)) {
                    all = all.thenCompose(before -> frames(stream)).thenAccept(frames -> judge(stream, frames));
                }
            }
            return all.thenApply(done -> found);
        }

        /** Of all extents that are left of its writers. */
        private CompletionStage<List<FrameEntry>> frames(StreamState stream) {
            CompletionStage<List<FrameEntry>> all = CompletableFuture.completedStage(new ArrayList<>());
            for (Writer writer : stream.writers()) {
                for (ExtentState extent : unflushed.getOrDefault(writer, List.of())) {
                    all = all.thenCombine(frames(extent, stream), (before, frames) -> {
                        before.addAll(frames);
                        return before;
                    });
                }
            }
            return all;
        }

        private CompletionStage<List<FrameEntry>> frames(ExtentState extent, StreamState stream) {
            if (extent.phase() == ExtentState.Phase.RECOVERING || unsettled.contains(extent.extentId())) {
                throw new IllegalStateException("extent " + extent.extentId() + " may have records of " + stream.topic()
                        + "-" + stream.partition() + ": it is recovered, settled or repaired first");
            }
            if (here.contains(extent.extentId())) {
                return CompletableFuture.completedStage(wal.index(extent.extentId(), stream.streamId()));
            }
            return streamsElsewhere
                    .computeIfAbsent(extent.extentId(), id -> elsewhere.streams(image, extent))
                    .thenCompose(streams -> streams.contains(stream.streamId())
                            ? elsewhere.frames(image, extent, stream.streamId())
                            : CompletableFuture.completedStage(List.<FrameEntry>of()))
                    .thenApplyAsync(frames -> frames, loop);
        }

        private void judge(StreamState stream, List<FrameEntry> frames) {
            long end = stream.catalogEndOffset();
            List<FrameEntry> data = new ArrayList<>(frames);
            data.removeIf(frame -> frame.kind() != FrameKind.DATA);
            data.sort(Comparator.comparingLong(FrameEntry::baseOffset));
            for (FrameEntry frame : data) {
                holeBetween(stream, end, frame.baseOffset());
                end = Math.max(end, frame.endOffset());
            }
            holeBetween(stream, end, knownEnd(stream));
        }

        private void holeBetween(StreamState stream, long end, long next) {
            if (next > end) {
                (end == stream.catalogEndOffset() ? found.now() : found.later()).add(new Hole(stream, end, next));
            }
        }
    }

    private static long knownEnd(StreamState stream) {
        List<StreamState.EpochStart> starts = stream.epochStarts();
        StreamState.Checkpoint checkpoint = stream.checkpoint();
        return Math.max(
                starts.isEmpty() ? 0 : starts.get(starts.size() - 1).startOffset(),
                checkpoint == null ? 0 : checkpoint.offset());
    }
}
