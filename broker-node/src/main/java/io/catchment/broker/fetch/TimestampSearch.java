package io.catchment.broker.fetch;

import io.catchment.broker.manifest.Manifests;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.read.UnflushedFrames;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.ObjectReader;
import io.catchment.wal.FrameEntry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds offsets by event time. Thread-safe; works on its executor, as it decompresses batches.
 *
 * <p>A stream is a list of {@link Stretch}es in offset order, each with the largest time in it: published ranges from the catalog, then
 * the frames of extents that are not published yet, whose batch headers the WAL's index holds. Only the stretch that decides
 * is read: within a range from where the object's own index says. A manifest is one stretch until it decides.
 */
final class TimestampSearch {
    private static final int SCAN_BYTES = 256 << 10;

    private final UnflushedFrames unflushed;
    private final ObjectReader objects;
    private final Manifests manifests;
    private final StreamReader reader;
    private final Supplier<ClusterImage> image;
    private final Executor executor;

    TimestampSearch(
            StreamExtents extents,
            ObjectReader objects,
            StreamReader reader,
            Supplier<ClusterImage> image,
            Executor executor) {
        this.unflushed = new UnflushedFrames(extents, image, executor);
        this.objects = objects;
        this.manifests = new Manifests(objects);
        this.reader = reader;
        this.image = image;
        this.executor = executor;
    }

    /** Which part of a stream is searched: from the log start to what the reader may see. */
    record Scope(long streamId, long startOffset, long limitOffset) {}

    /**
     * Offsets with a bound on the times in them.
     *
     * @param exact false when the bound only says that the stretch must be read: a frame of several batches
     * @param published where it lies if it is a published range
     * @param manifest that lists the published ranges of it
     */
    private record Stretch(
            long baseOffset,
            long endOffset,
            long maxTimestampMs,
            boolean exact,
            ObjectReader.@Nullable Location published,
            @Nullable ManifestRef manifest) {

        boolean mayHold(long timeMs) {
            return !exact || maxTimestampMs >= timeMs;
        }
    }

    /** The first record in offset order whose time is at or after {@code timeMs}, however out of order the times are. */
    CompletableFuture<TimedOffset> firstAtOrAfter(Scope scope, long timeMs) {
        return stretches(scope).thenComposeAsync(stretches -> firstIn(scope, stretches, 0, timeMs), executor);
    }

    private CompletableFuture<TimedOffset> firstIn(Scope scope, List<Stretch> stretches, int from, long timeMs) {
        int next = from;
        while (next < stretches.size() && !stretches.get(next).mayHold(timeMs)) {
            next++;
        }
        if (next == stretches.size()) {
            return CompletableFuture.completedFuture(TimedOffset.NONE);
        }
        int following = next + 1;
        Stretch stretch = stretches.get(next);
        if (stretch.manifest() != null) {
            return listed(scope, stretch.manifest())
                    .thenComposeAsync(
                            listed -> firstIn(scope, joined(listed, stretches, following), 0, timeMs), executor);
        }
        return scanStart(stretch, scope, timeMs)
                .thenCompose(offset -> scanFirst(scope, offset, stretch.endOffset(), timeMs))
                .thenComposeAsync(
                        found -> found.found()
                                ? CompletableFuture.completedFuture(found)
                                : firstIn(scope, stretches, following, timeMs),
                        executor);
    }

    /** The record with the largest time, the first of them. */
    CompletableFuture<TimedOffset> latest(Scope scope) {
        return stretches(scope)
                .thenComposeAsync(
                        stretches -> latestIn(scope, latestCandidates(scope, stretches), 0, TimedOffset.NONE),
                        executor);
    }

    /** Reads candidates, the most promising first, until none can hold a later time than the one found. */
    private CompletableFuture<TimedOffset> latestIn(Scope scope, List<Stretch> candidates, int next, TimedOffset best) {
        if (next == candidates.size()) {
            return CompletableFuture.completedFuture(best);
        }
        Stretch stretch = candidates.get(next);
        boolean canBeBetter = !best.found()
                || !stretch.exact()
                || stretch.maxTimestampMs() > best.timestampMs()
                || (stretch.maxTimestampMs() == best.timestampMs() && stretch.baseOffset() < best.offset());
        if (!canBeBetter) {
            return CompletableFuture.completedFuture(best);
        }
        if (stretch.manifest() != null) {
            return listed(scope, stretch.manifest())
                    .thenComposeAsync(
                            listed -> latestIn(
                                    scope, latestCandidates(scope, joined(listed, candidates, next + 1)), 0, best),
                            executor);
        }
        return latestOf(scope, stretch)
                .thenComposeAsync(found -> latestIn(scope, candidates, next + 1, better(best, found)), executor);
    }

    private CompletableFuture<TimedOffset> latestOf(Scope scope, Stretch stretch) {
        boolean whole = stretch.baseOffset() >= scope.startOffset() && stretch.endOffset() <= scope.limitOffset();
        if (!whole || !stretch.exact()) {
            return scanLatest(scope, stretch.baseOffset(), stretch.endOffset(), TimedOffset.NONE);
        }
        return scanStart(stretch, scope, stretch.maxTimestampMs())
                .thenCompose(offset -> scanFirst(scope, offset, stretch.endOffset(), stretch.maxTimestampMs()));
    }

    private static TimedOffset better(TimedOffset one, TimedOffset other) {
        if (!one.found() || !other.found()) {
            return one.found() ? one : other;
        }
        if (one.timestampMs() != other.timestampMs()) {
            return one.timestampMs() > other.timestampMs() ? one : other;
        }
        return one.offset() < other.offset() ? one : other;
    }

    // ---- what there is to search

    /** Extents first, catalog after: what an extent lost meanwhile was published before. */
    private CompletableFuture<List<Stretch>> stretches(Scope scope) {
        return unflushed
                .between(scope.streamId(), scope.startOffset(), scope.limitOffset())
                .thenApply(frames -> stretches(scope, frames, image.get()));
    }

    private CompletableFuture<List<Stretch>> listed(Scope scope, ManifestRef manifest) {
        return manifests
                .ranges(image.get(), manifest)
                .thenApply(ranges -> {
                    List<Stretch> listed = new ArrayList<>();
                    for (OwnedRange owned : ranges) {
                        StreamRange range = owned.range();
                        if (overlaps(scope, range.baseOffset(), range.endOffset())) {
                            listed.add(publishedStretch(scope.streamId(), range, owned.objectBytes()));
                        }
                    }
                    return listed;
                })
                .toCompletableFuture();
    }

    private static List<Stretch> joined(List<Stretch> first, List<Stretch> all, int from) {
        List<Stretch> joined = new ArrayList<>(first);
        joined.addAll(all.subList(from, all.size()));
        return joined;
    }

    private static List<Stretch> stretches(Scope scope, List<FrameEntry> frames, ClusterImage now) {
        List<Stretch> stretches = new ArrayList<>();
        Optional<StreamState> stream = now.stream(scope.streamId());
        long published = 0;
        if (stream.isPresent()) {
            for (ManifestRef manifest : stream.get().manifests()) {
                if (overlaps(scope, manifest.baseOffset(), manifest.endOffset())) {
                    stretches.add(new Stretch(
                            manifest.baseOffset(),
                            manifest.endOffset(),
                            manifest.maxEventTimeMs(),
                            true,
                            null,
                            manifest));
                }
            }
            for (StreamRange range : stream.get().catalog()) {
                if (overlaps(scope, range.baseOffset(), range.endOffset())) {
                    stretches.add(publishedStretch(now, scope.streamId(), range));
                }
                published = range.endOffset();
            }
        }
        for (FrameEntry frame : frames) {
            if (frame.endOffset() > published) {
                boolean exact = BatchTimes.isOneBatch(frame.head(), frame.payloadLength());
                stretches.add(new Stretch(
                        frame.baseOffset(),
                        frame.endOffset(),
                        exact ? BatchTimes.maxTimestamp(frame.head()) : Long.MAX_VALUE,
                        exact,
                        null,
                        null));
            }
        }
        return stretches;
    }

    private static boolean overlaps(Scope scope, long baseOffset, long endOffset) {
        return endOffset > scope.startOffset() && baseOffset < scope.limitOffset();
    }

    private static Stretch publishedStretch(ClusterImage image, long streamId, StreamRange range) {
        long objectBytes = image.object(range.objectId())
                .map(ObjectState::bytes)
                .orElseThrow(() -> new IllegalStateException("object " + range.objectId() + " of stream " + streamId
                        + " is unknown to the control plane (O3)"));
        return publishedStretch(streamId, range, objectBytes);
    }

    private static Stretch publishedStretch(long streamId, StreamRange range, long objectBytes) {
        ObjectReader.Location location = new ObjectReader.Location(
                range.objectId(),
                objectBytes,
                streamId,
                range.baseOffset(),
                range.endOffset(),
                range.position(),
                range.length());
        return new Stretch(range.baseOffset(), range.endOffset(), range.maxEventTimeMs(), true, location, null);
    }

    /** Those that may hold the latest time, by their bound: of the frames of one batch only the first best. */
    private static List<Stretch> latestCandidates(Scope scope, List<Stretch> stretches) {
        List<Stretch> candidates = new ArrayList<>();
        Stretch bestFrame = null;
        for (Stretch stretch : stretches) {
            boolean whole = stretch.baseOffset() >= scope.startOffset() && stretch.endOffset() <= scope.limitOffset();
            if (stretch.published() != null || stretch.manifest() != null || !stretch.exact() || !whole) {
                candidates.add(stretch);
            } else if (bestFrame == null || stretch.maxTimestampMs() > bestFrame.maxTimestampMs()) {
                bestFrame = stretch;
            }
        }
        if (bestFrame != null) {
            candidates.add(bestFrame);
        }
        candidates.sort(Comparator.comparing(Stretch::exact)
                .thenComparing(Comparator.comparingLong(Stretch::maxTimestampMs).reversed())
                .thenComparingLong(Stretch::baseOffset));
        return candidates;
    }

    // ---- reading what decides

    private CompletableFuture<Long> scanStart(Stretch stretch, Scope scope, long timeMs) {
        ObjectReader.Location location = stretch.published();
        if (location == null) {
            return CompletableFuture.completedFuture(Math.max(stretch.baseOffset(), scope.startOffset()));
        }
        return objects.offsetForTime(location, timeMs)
                .thenApply(offset -> Math.max(offset, scope.startOffset()))
                .toCompletableFuture();
    }

    private CompletableFuture<TimedOffset> scanFirst(Scope scope, long offset, long endOffset, long timeMs) {
        if (offset >= Math.min(endOffset, scope.limitOffset())) {
            return CompletableFuture.completedFuture(TimedOffset.NONE);
        }
        return read(scope, offset)
                .thenComposeAsync(
                        run -> {
                            TimedOffset found;
                            try {
                                found = BatchTimes.firstAtOrAfter(run.payload(), scope.startOffset(), timeMs);
                            } finally {
                                run.payload().release();
                            }
                            return found.found() || run.isEmpty()
                                    ? CompletableFuture.completedFuture(found)
                                    : scanFirst(scope, run.endOffset(), endOffset, timeMs);
                        },
                        executor);
    }

    private CompletableFuture<TimedOffset> scanLatest(Scope scope, long offset, long endOffset, TimedOffset best) {
        long from = Math.max(offset, scope.startOffset());
        if (from >= Math.min(endOffset, scope.limitOffset())) {
            return CompletableFuture.completedFuture(best);
        }
        return read(scope, from)
                .thenComposeAsync(
                        run -> {
                            TimedOffset latest;
                            try {
                                latest = BatchTimes.latest(run.payload(), scope.startOffset(), best);
                            } finally {
                                run.payload().release();
                            }
                            return run.isEmpty()
                                    ? CompletableFuture.completedFuture(latest)
                                    : scanLatest(scope, run.endOffset(), endOffset, latest);
                        },
                        executor);
    }

    private CompletableFuture<BatchRun> read(Scope scope, long offset) {
        return reader.read(scope.streamId(), offset, scope.limitOffset(), SCAN_BYTES)
                .toCompletableFuture();
    }

    // ---- where the levels begin and end

    /**
     * The lowest offset of the stream, from its log start on, that some extent holds, here or elsewhere; the end if none does. What is not
     * published is in an extent, wherever that lies.
     */
    CompletableFuture<Long> firstLocal(Scope scope) {
        return CompletableFuture.supplyAsync(
                () -> {
                    long here = unflushed.here(scope.streamId(), scope.startOffset(), scope.limitOffset()).stream()
                            .mapToLong(frame -> Math.max(scope.startOffset(), frame.baseOffset()))
                            .min()
                            .orElse(scope.limitOffset());
                    long published = image.get().stream(scope.streamId())
                            .map(StreamState::catalogEndOffset)
                            .orElse(scope.startOffset());
                    return Math.min(here, Math.max(published, scope.startOffset()));
                },
                executor);
    }
}
