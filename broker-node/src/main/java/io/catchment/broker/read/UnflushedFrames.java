package io.catchment.broker.read;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.StreamState;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The DATA frames of a stream that are in no object yet: those that this node's store shows, and where these leave a gap, those of other
 * stores. Thread-safe. Works on its executor, which may wait for this node's disk.
 */
public final class UnflushedFrames {
    private static final int ASKED_AT_A_TIME = 8;
    /** 5 ms, doubled after each: 2.5 s in all. */
    private static final int PAUSES_MAX = 9;

    private static final long PAUSE_MS = 5;
    /** With holders that do not answer a round takes longer: then no further one begins. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final StreamExtents extents;
    private final Supplier<ClusterImage> image;
    private final Executor executor;

    public UnflushedFrames(StreamExtents extents, Supplier<ClusterImage> image, Executor executor) {
        this.extents = extents;
        this.image = image;
        this.executor = executor;
    }

    /**
     * Frames with offsets in between, ascending; together with the catalog as it is afterwards they leave out none. Fails with
     * {@link IOException} when offsets are not to be seen anywhere now. A node that is alone answers what it has.
     */
    public CompletableFuture<List<FrameEntry>> between(long streamId, long fromOffset, long toOffset) {
        Gathering gathering = new Gathering(streamId, fromOffset, toOffset);
        executor.execute(gathering::begin);
        return gathering.result;
    }

    /** Frames of this node's store, of any extent that is here. */
    public List<FrameEntry> here(long streamId, long fromOffset, long toOffset) {
        List<FrameEntry> frames = new ArrayList<>();
        for (long extentId : extents.wal().extents()) {
            addHere(extentId, streamId, fromOffset, toOffset, frames);
        }
        return frames;
    }

    private void addHere(long extentId, long streamId, long fromOffset, long toOffset, List<FrameEntry> frames) {
        for (FrameEntry frame : extents.wal().index(extentId, streamId)) {
            if (isWanted(frame, fromOffset, toOffset)) {
                frames.add(frame);
            }
        }
    }

    private static boolean isWanted(FrameEntry frame, long fromOffset, long toOffset) {
        return frame.kind() == FrameKind.DATA && frame.endOffset() > fromOffset && frame.baseOffset() < toOffset;
    }

    /** One question. Its steps run one after the other, so the state needs no lock. */
    private final class Gathering {
        private final long streamId;
        private final long fromOffset;
        private final long toOffset;
        private final TreeMap<Long, FrameEntry> frames = new TreeMap<>();
        private final CompletableFuture<List<FrameEntry>> result = new CompletableFuture<>();
        private final long sinceNanos = System.nanoTime();
        private int pauses;

        Gathering(long streamId, long fromOffset, long toOffset) {
            this.streamId = streamId;
            this.fromOffset = fromOffset;
            this.toOffset = toOffset;
        }

        void begin() {
            guarded(this::attempt);
        }

        /** Flushed extents need not be asked: all their ranges are in the catalog. */
        private void attempt() {
            ClusterImage now = image.get();
            List<FrameEntry> here = new ArrayList<>();
            Set<Long> unreadable = new HashSet<>(0);
            for (long extentId : extents.wal().extents()) {
                boolean flushed = now.extent(extentId)
                        .filter(extent -> extent.phase() == Phase.FLUSHED)
                        .isPresent();
                try {
                    if (!flushed) {
                        addHere(extentId, streamId, fromOffset, toOffset, here);
                    }
                } catch (UncheckedIOException e) {
                    if (extents.isAlone()) {
                        throw e;
                    }
                    unreadable.add(extentId);
                }
            }
            add(here);
            Optional<StreamState> stream = now.stream(streamId);
            if (extents.isAlone() || stream.isEmpty() || isWhole()) {
                finish();
                return;
            }
            List<ExtentState> elsewhere = extents.unflushed(now, stream.get());
            elsewhere.removeIf(extent -> extents.isWholeHere(extent) && !unreadable.contains(extent.extentId()));
            Collections.reverse(elsewhere);
            ask(now, elsewhere, 0);
        }

        private void add(List<FrameEntry> more) {
            more.forEach(frame -> frames.put(frame.baseOffset(), frame));
        }

        /** Whether the frames reach from the catalog's present end to the last offset that is wanted. */
        private boolean isWhole() {
            long end = Math.max(
                    fromOffset,
                    image.get().stream(streamId)
                            .map(StreamState::catalogEndOffset)
                            .orElse(toOffset));
            for (FrameEntry frame : frames.values()) {
                if (frame.baseOffset() > end) {
                    return end >= toOffset;
                }
                end = Math.max(end, frame.endOffset());
            }
            return end >= toOffset;
        }

        /** The newest first. */
        private void ask(ClusterImage asOf, List<ExtentState> elsewhere, int next) {
            if (isWhole()) {
                finish();
                return;
            }
            if (next >= elsewhere.size()) {
                pause();
                return;
            }
            int to = Math.min(elsewhere.size(), next + ASKED_AT_A_TIME);
            List<CompletableFuture<List<FrameEntry>>> answers = new ArrayList<>();
            for (ExtentState extent : elsewhere.subList(next, to)) {
                answers.add(extents.frames(asOf, extent, streamId)
                        .exceptionally(unreachable -> List.of())
                        .toCompletableFuture());
            }
            CompletionStage<Void> all = CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new));
            all.whenComplete((done, failure) -> guarded(() -> {
                for (CompletableFuture<List<FrameEntry>> answer : answers) {
                    add(answer.join().stream()
                            .filter(frame -> isWanted(frame, fromOffset, toOffset))
                            .toList());
                }
                ask(asOf, elsewhere, to);
            }));
        }

        /** Whoever has it may hear in a moment that it is acknowledged, or it is published by now. */
        private void pause() {
            if (pauses == PAUSES_MAX || System.nanoTime() - sinceNanos > PATIENCE_NANOS) {
                result.completeExceptionally(new IOException("offsets " + fromOffset + " to " + toOffset + " of stream "
                        + streamId + " are not all published, and no store shows those that are not"));
                return;
            }
            Executor later = CompletableFuture.delayedExecutor(PAUSE_MS << pauses++, TimeUnit.MILLISECONDS, executor);
            later.execute(() -> guarded(this::attempt));
        }

        private void finish() {
            result.complete(List.copyOf(frames.values()));
        }

        private void guarded(Runnable step) {
            try {
                step.run();
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        }
    }
}
