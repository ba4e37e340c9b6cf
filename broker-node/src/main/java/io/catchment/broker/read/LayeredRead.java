package io.catchment.broker.read;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.ObjectReader;
import io.catchment.objectstore.ReadClass;
import io.catchment.wal.FrameRead;
import io.catchment.wal.StoreRef;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One read below the tail. Steps run one after the other on whatever thread completed the one before, so the state needs no
 * lock.
 *
 * <p>The levels change while it runs: an extent is published, then deleted. So extents are asked first and the catalog after
 * (what an extent no longer has was published before it went), and a level that fails because its extent or object is gone
 * sends the read back to the start. What is in neither level lies in unflushed extents on other nodes, whose stores are asked last; the one
 * that has it may hear only in a moment that it is acknowledged, so the read waits a little and looks at all levels again. An
 * offset that is nowhere is a broken invariant and fails loudly (O2).
 */
final class LayeredRead {
    private static final int ATTEMPTS_MAX = 8;
    /** 5 ms, doubled after each: 2.5 s in all, in which a dead writer's extents are mostly recovered. */
    private static final int PAUSES_MAX = 9;

    private static final long PAUSE_MS = 5;
    /** With holders that do not answer a round takes longer: then no further one begins. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final LayeredStreamReader levels;
    private final long streamId;
    private final long fromOffset;
    private final long limitOffset;
    private final int granted;
    private final ReadClass as;
    private final ReadBudget budget;
    private final CompletableFuture<BatchRun> result = new CompletableFuture<>();
    private int bytesWanted;
    private int attempts;
    private int pauses;
    private long elsewhereSinceNanos;
    private boolean searched;
    /** Local extents that this disk does not give, though they are here. */
    private final Set<Long> unreadable = new HashSet<>(0);
    /** As of the last search; one that comes to its turn after that is of no use. */
    private volatile boolean diskHangs;

    private ExtentLocator.@Nullable Span suggested;

    /** {@code granted} bytes of the budget are this read's once it is started; they pass on to the payload or are given back. */
    LayeredRead(
            LayeredStreamReader levels, long streamId, long fromOffset, long limitOffset, int granted, ReadClass as) {
        this.levels = levels;
        this.streamId = streamId;
        this.fromOffset = fromOffset;
        this.limitOffset = limitOffset;
        this.granted = granted;
        this.as = as;
        this.budget = levels.budgets.of(as);
        this.bytesWanted = granted;
    }

    /** Completes on any thread; cancelling it gives the read up. */
    CompletableFuture<BatchRun> result() {
        return result;
    }

    void startAfter(CompletableFuture<Void> grant) {
        CompletionStage<BatchRun> outcome = result;
        outcome.whenComplete((run, failure) -> {
            if (result.isCancelled()) {
                grant.cancel(false);
            }
        });
        CompletionStage<Void> granting = grant;
        granting.whenComplete((ok, refused) -> {
            if (refused == null) {
                start();
            } else if (!grant.isCancelled()) {
                result.completeExceptionally(refused);
            }
        });
    }

    void start() {
        guarded(this::attempt);
    }

    /** What earlier reads suggest needs no search; else extents come before the catalog, except where this was compacted. */
    private void attempt() {
        if (result.isDone()) {
            giveBack();
            return;
        }
        if (isCompacted()) {
            readPublished();
            return;
        }
        ExtentLocator.Span span = attempts == 0 ? levels.extents.suggestion(streamId, fromOffset) : null;
        if (span == null) {
            searchHere();
            return;
        }
        suggested = span;
        if (span.extentId() == ExtentLocator.NO_EXTENT) {
            readPublished();
        } else if (span.elsewhere() && !isCopiedHere(span.extentId())) {
            readHinted(span.extentId());
        } else {
            readExtent(span.extentId());
        }
    }

    /** It was read elsewhere because the copy here was a moment behind: that is over, or will be. */
    private boolean isCopiedHere(long extentId) {
        return !unreadable.contains(extentId)
                && levels.image
                        .get()
                        .extent(extentId)
                        .filter(levels.streamExtents::isCopiedHere)
                        .isPresent();
    }

    /**
     * What extents still have of it is older: next to a deleted key's old value there the tombstone may be missing, since nodes have some of the
     * extents only, and tombstones go from objects.
     */
    private boolean isCompacted() {
        return levels.image.get().stream(streamId)
                .filter(stream -> fromOffset < stream.cleanedTo())
                .isPresent();
    }

    /** What this node's extents say; some may not be readable. */
    private record Search(long extentId, List<Long> unreadable) {}

    private void searchHere() {
        diskHangs = false;
        levels.disk
                .ask(this::search, found -> {})
                .whenComplete((found, failure) -> guarded(() -> {
                    searched = true;
                    if (found != null) {
                        unreadable.addAll(found.unreadable());
                        readFound(found.extentId());
                    } else if (isHung(failure)) {
                        diskHangs = true;
                        readPublished();
                    } else {
                        fail(failure == null ? new IllegalStateException("no search") : unwrap(failure));
                    }
                }));
    }

    private CompletionStage<Search> search() {
        CompletableFuture<Search> answer = new CompletableFuture<>();
        levels.searches.execute(() -> {
            try {
                List<Long> failed = new ArrayList<>(0);
                long extentId = diskHangs
                        ? ExtentLocator.NO_EXTENT
                        : levels.extents.search(streamId, fromOffset, suggested, failed::add);
                answer.complete(new Search(extentId, failed));
            } catch (RuntimeException | Error broken) {
                answer.completeExceptionally(broken);
            }
        });
        return answer;
    }

    private static boolean isHung(@Nullable Throwable failure) {
        return failure != null && unwrap(failure) instanceof LocalDisk.HungException;
    }

    private void readFound(long extentId) {
        if (extentId == ExtentLocator.NO_EXTENT) {
            readPublished();
        } else {
            readExtent(extentId);
        }
    }

    private boolean isUnreadable(long extentId) {
        return diskHangs || unreadable.contains(extentId);
    }

    private void again() {
        attempts++;
        attempt();
    }

    private void readPublished() {
        ClusterImage image = levels.image.get();
        Optional<StreamState> stream = image.stream(streamId);
        if (stream.isEmpty() || fromOffset < stream.get().logStartOffset()) {
            finishEmpty();
            return;
        }
        Optional<StreamRange> range = stream.get().range(fromOffset);
        if (range.isPresent()) {
            if (searched && !diskHangs) {
                levels.extents.found(
                        streamId,
                        new ExtentLocator.Span(
                                ExtentLocator.NO_EXTENT, fromOffset, range.get().endOffset(), false));
            }
            readObject(image, range.get());
            return;
        }
        Optional<ManifestRef> manifest = stream.get().manifest(fromOffset);
        if (manifest.isPresent()) {
            readListed(image, manifest.get());
            return;
        }
        List<ExtentState> elsewhere = levels.elsewhere(image, stream.get(), this::isUnreadable);
        if (!elsewhere.isEmpty()) {
            searchElsewhere(image, elsewhere);
        } else if (attempts < 2) {
            again();
        } else {
            fail(nowhere(image, elsewhere));
        }
    }

    /** While this disk is silent nobody can tell whether it is a gap. */
    private Throwable nowhere(ClusterImage image, List<ExtentState> asked) {
        return diskHangs
                ? new LocalDisk.HungException("offset " + fromOffset + " of stream " + streamId
                        + " is neither published nor shown by another node, and the disk of this one hangs")
                : gap(image, asked);
    }

    private OffsetGapException gap(ClusterImage image, List<ExtentState> elsewhere) {
        StreamState stream = image.stream(streamId).orElseThrow();
        return new OffsetGapException("offset " + fromOffset + " of stream " + streamId + " (limit " + limitOffset
                + ") is neither in a local extent nor published: log start "
                + stream.logStartOffset() + ", published to "
                + stream.catalogEndOffset() + ", local extents " + levels.wal.extents() + ", unflushed elsewhere "
                + elsewhere.stream().map(ExtentState::extentId).toList());
    }

    // ---- other nodes

    private void searchElsewhere(ClusterImage image, List<ExtentState> candidates) {
        long after = suggested == null ? -1 : suggested.extentId();
        CompletionStage<ElsewhereSearch.Outcome> search =
                new ElsewhereSearch(levels.streamExtents, image, candidates, streamId, fromOffset, after).start();
        search.whenComplete((outcome, impossible) -> guarded(() -> {
            StreamExtents.Located located = outcome == null ? null : outcome.located();
            if (located != null) {
                readElsewhere(image, located.extent(), located.holder());
            } else {
                notYetElsewhere(image, candidates, outcome == null ? impossible : outcome.failure());
            }
        }));
    }

    /** On another node: an earlier read found it there, or this disk does not give it. */
    private void readHinted(long extentId) {
        ClusterImage image = levels.image.get();
        Optional<ExtentState> extent = image.extent(extentId).filter(each -> each.phase() != ExtentState.Phase.FLUSHED);
        if (extent.isPresent()) {
            readElsewhere(image, extent.get(), null);
        } else {
            again();
        }
    }

    private void readElsewhere(ClusterImage image, ExtentState extent, @Nullable StoreRef holder) {
        paced(
                () -> levels.streamExtents.read(image, extent, holder, streamId, fromOffset, bytesWanted),
                (frames, failure) -> {
                    if (frames == null) {
                        elsewhereFailed(image, extent, failure);
                        return;
                    }
                    levels.extents.found(
                            streamId,
                            new ExtentLocator.Span(extent.extentId(), frames.baseOffset(), frames.endOffset(), true));
                    levels.peerReads.increment();
                    levels.peerBytes.add(frames.payload().readableBytes());
                    finish(frames.payload(), cut(frames.payload()));
                });
    }

    /** A hint costs a search; what was just found and cannot be read may be flushed by now, or on another store in a moment. */
    private void elsewhereFailed(ClusterImage image, ExtentState extent, @Nullable Throwable failure) {
        if (!searched) {
            again();
        } else {
            notYetElsewhere(image, List.of(extent), failure);
        }
    }

    private void notYetElsewhere(ClusterImage image, List<ExtentState> asked, @Nullable Throwable failure) {
        long now = System.nanoTime();
        if (elsewhereSinceNanos == 0) {
            elsewhereSinceNanos = now;
        }
        if (pauses < PAUSES_MAX && now - elsewhereSinceNanos < PATIENCE_NANOS) {
            CompletableFuture<Boolean> pause = new CompletableFuture<Boolean>()
                    .completeOnTimeout(true, PAUSE_MS << pauses++, TimeUnit.MILLISECONDS);
            CompletionStage<Boolean> pausing = pause;
            pausing.whenComplete((over, never) -> guarded(this::again));
        } else if (failure != null) {
            fail(unwrap(failure));
        } else if (asked.stream().allMatch(ExtentState::isSealed)) {
            fail(nowhere(image, asked));
        } else {
            fail(new IOException("offset " + fromOffset + " of stream " + streamId
                    + " is not visible on any store yet; its extent is open or being recovered"));
        }
    }

    // ---- this node

    private void readExtent(long extentId) {
        paced(
                () -> levels.disk.ask(
                        () -> levels.wal.read(extentId, streamId, fromOffset, bytesWanted),
                        late -> late.payload().release()),
                (frames, failure) -> extentAnswered(extentId, frames, failure));
    }

    /** Who catches up takes turns with others of its kind. */
    private void paced(
            Supplier<CompletionStage<FrameRead>> read, BiConsumer<@Nullable FrameRead, @Nullable Throwable> answered) {
        if (as == ReadClass.TAIL) {
            read.get().whenComplete((frames, failure) -> guarded(() -> answered.accept(frames, failure)));
            return;
        }
        levels.catchUpExtents.enter(() -> {
            if (result.isDone()) {
                giveBack();
                return false;
            }
            CompletionStage<FrameRead> reading;
            try {
                reading = read.get();
            } catch (RuntimeException refused) {
                reading = CompletableFuture.failedStage(refused);
            } catch (OutOfMemoryError want) {
                reading = CompletableFuture.failedStage(noMemory(want));
            }
            reading.whenComplete((frames, failure) -> {
                levels.catchUpExtents.leave();
                guarded(() -> answered.accept(frames, failure));
            });
            return true;
        });
    }

    private void extentAnswered(long extentId, @Nullable FrameRead frames, @Nullable Throwable failure) {
        if (frames == null) {
            extentFailed(extentId, failure == null ? new IllegalStateException("no frames") : unwrap(failure));
            return;
        }
        ByteBuf payload = frames.payload();
        if (!payload.isReadable() || frames.baseOffset() > fromOffset) {
            payload.release();
            extentFailed(
                    extentId,
                    new IllegalStateException("extent " + extentId + " has offset " + fromOffset + " of stream "
                            + streamId + " in its index but does not read it"));
            return;
        }
        levels.extents.found(
                streamId, new ExtentLocator.Span(extentId, frames.baseOffset(), frames.endOffset(), false));
        levels.extentReads.increment();
        levels.extentBytes.add(payload.readableBytes());
        finish(payload, cut(payload));
    }

    /** Not there (a wrong hint), or gone: look again. There but unreadable: a published copy can help, or another node's. */
    private void extentFailed(long extentId, Throwable failure) {
        if (attempts >= ATTEMPTS_MAX) {
            fail(failure);
        } else if (!searched || levels.wal.length(extentId).isEmpty()) {
            again();
        } else if (isPublished()) {
            attempts++;
            readPublished();
        } else if (!unreadable.contains(extentId) && isElsewhere(extentId)) {
            unreadable.add(extentId);
            readHinted(extentId);
        } else {
            fail(failure);
        }
    }

    private boolean isElsewhere(long extentId) {
        return !levels.streamExtents.isAlone()
                && levels.image
                        .get()
                        .extent(extentId)
                        .filter(extent -> extent.phase() != ExtentState.Phase.FLUSHED)
                        .isPresent();
    }

    private boolean isPublished() {
        return levels.image.get().stream(streamId)
                .filter(stream -> stream.range(fromOffset).isPresent()
                        || stream.manifest(fromOffset).isPresent())
                .isPresent();
    }

    private void readListed(ClusterImage image, ManifestRef manifest) {
        levels.manifests
                .range(image, manifest, fromOffset)
                .whenComplete((owned, failure) -> guarded(() -> {
                    if (owned != null) {
                        if (searched && !diskHangs) {
                            levels.extents.found(
                                    streamId,
                                    new ExtentLocator.Span(
                                            ExtentLocator.NO_EXTENT,
                                            fromOffset,
                                            owned.range().endOffset(),
                                            false));
                        }
                        readObject(owned.range(), owned.objectBytes(), manifest);
                    } else {
                        objectFailed(
                                manifest.objectId(),
                                failure == null ? new IllegalStateException("no range") : unwrap(failure));
                    }
                }));
    }

    private void readObject(ClusterImage image, StreamRange range) {
        Optional<ObjectState> object = image.object(range.objectId());
        if (object.isEmpty()) {
            fail(new IllegalStateException("object " + range.objectId() + " of stream " + streamId + " offsets "
                    + range.baseOffset() + " to " + range.endOffset() + " is unknown to the control plane (O3)"));
            return;
        }
        readObject(range, object.get().bytes(), null);
    }

    /** @param manifest that lists it; null if the catalog does */
    private void readObject(StreamRange range, long objectBytes, @Nullable ManifestRef manifest) {
        ObjectReader.Location location = new ObjectReader.Location(
                range.objectId(),
                objectBytes,
                streamId,
                range.baseOffset(),
                range.endOffset(),
                range.position(),
                range.length());
        levels.objects
                .read(location, fromOffset, bytesWanted, as)
                .whenComplete(
                        (read, failure) -> guarded(() -> objectAnswered(range, objectBytes, manifest, read, failure)));
    }

    private void objectAnswered(
            StreamRange range,
            long objectBytes,
            @Nullable ManifestRef manifest,
            ObjectReader.@Nullable RangeRead read,
            @Nullable Throwable failure) {
        if (read == null) {
            long from = manifest == null ? range.objectId() : manifest.objectId();
            objectFailed(from, failure == null ? new IllegalStateException("no range") : unwrap(failure));
            return;
        }
        ByteBuf payload = read.payload();
        BatchCut cut = cut(payload);
        if (cut.isEmpty() && cut.missing() > 0) {
            int had = payload.readableBytes();
            payload.release();
            if (read.reachesEnd()) {
                fail(new OffsetGapException("object " + range.objectId() + " ends before the batch with offset "
                        + fromOffset + " of stream " + streamId + " though its range is " + range.baseOffset() + " to "
                        + range.endOffset()));
                return;
            }
            bytesWanted = Math.max(Math.addExact(had, cut.missing()), bytesWanted * 2);
            readObject(range, objectBytes, manifest);
            return;
        }
        levels.objectReads.increment();
        levels.objectBytes.add(payload.readableBytes());
        finish(payload, cut);
    }

    /**
     * A merge may have moved the range to another object, or it is in another manifest now, or an extent may have it though the hint said no.
     *
     * @param from the object, or the manifest that named it
     */
    private void objectFailed(long from, Throwable failure) {
        Optional<StreamState> stream = levels.image.get().stream(streamId);
        long now = stream.flatMap(known -> known.range(fromOffset))
                .map(StreamRange::objectId)
                .or(() -> stream.flatMap(known -> known.manifest(fromOffset)).map(ManifestRef::objectId))
                .orElse(-1L);
        boolean moved = now != from;
        if (attempts < ATTEMPTS_MAX && (moved || !(searched || isCompacted()))) {
            again();
        } else {
            fail(failure);
        }
    }

    /** Takes over the payload's reference. */
    private BatchCut cut(ByteBuf payload) {
        try {
            return BatchCut.of(payload, fromOffset, limitOffset, granted);
        } catch (RuntimeException e) {
            payload.release();
            throw e;
        }
    }

    /** Takes over the payload's reference and hands it on, with the bytes it pins, in the answer. */
    private void finish(ByteBuf payload, BatchCut cut) {
        if (cut.isEmpty()) {
            payload.release();
            if (cut.missing() > 0) {
                fail(new IllegalStateException("a frame of stream " + streamId + " at offset " + fromOffset
                        + " ends inside a batch, " + cut.missing() + " bytes short"));
            } else {
                finishEmpty();
            }
            return;
        }
        int pinned = payload.readableBytes();
        if (pinned > granted) {
            budget.grow(pinned - granted);
        } else if (pinned < granted) {
            budget.release(granted - pinned);
        }
        ByteBuf counted = new CountedPayload(payload.slice(cut.start(), cut.length()), budget, pinned);
        if (!result.complete(new BatchRun(cut.baseOffset(), cut.endOffset(), counted))) {
            counted.release();
        }
    }

    private void finishEmpty() {
        giveBack();
        result.complete(BatchRuns.empty(fromOffset));
    }

    private void fail(Throwable failure) {
        giveBack();
        result.completeExceptionally(failure);
    }

    private void giveBack() {
        budget.release(granted);
    }

    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            fail(e);
        } catch (OutOfMemoryError want) {
            fail(noMemory(want));
        }
    }

    /** Netty tells want of direct memory by an error. A read that nobody ended would keep its bytes of the budget for ever. */
    private static IOException noMemory(OutOfMemoryError want) {
        return new IOException("no memory for it: " + want.getMessage(), want);
    }

    private static Throwable unwrap(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
