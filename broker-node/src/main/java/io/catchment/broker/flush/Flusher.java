package io.catchment.broker.flush;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ObjectState;
import io.catchment.objectstore.ObjectStore;
import io.catchment.wal.Lane;
import io.catchment.wal.Wal;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the flush loop. Turns each sealed extent of this node into one published bundle: urgent extents first, then the oldest.
 *
 * <p>What is to be done is read from the image each time, nothing is kept that a crash could lose: a sealed extent that is here and not
 * FLUSHED is flushed, whoever began it. An extent goes through two steps. <i>Upload</i> has few places and bounded memory; a failing store is
 * asked for one extent at a time, with growing pauses, for ever, and memory is given back between the attempts. <i>Publish</i> is one command;
 * NOT_YET (a range of an earlier extent is missing) keeps the extent waiting, uploaded, until another one was published.
 */
public final class Flusher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Flusher.class);
    private static final long TICK_MS = 1_000;
    private static final long BROKEN_EXTENT_RETRY_MS = 60_000;

    /** Asked to end an open extent, with the checkpoints of its streams appended first. */
    @FunctionalInterface
    public interface RollRequest {
        void roll(Lane lane, long extentId);
    }

    private record Waiting(ExtentState extent, Uploaded uploaded, long startedNanos, boolean publishing) {}

    private record FlushAll(List<Long> extents, long deadlineNanos, CompletableFuture<Boolean> result) {}

    private final ControlPlane controlPlane;
    private final RollRequest roller;
    private final FlushLoop loop;
    private final FlushSettings settings;
    private final FlushMetrics metrics;
    private final RandomGenerator random;
    private final int nodeId;
    private final long nodeEpoch;

    private final LocalExtents extents;
    private final Uploads uploads;
    private final HotWindow hotWindow;

    /** Extents under upload, with the bytes they take in memory. */
    private final Map<Long, Long> uploading = new HashMap<>();
    /** Uploaded ones by id, to be published in this order. */
    private final TreeMap<Long, Waiting> waiting = new TreeMap<>();
    /** Extents that failed for a reason of their own, with the time before which they are left alone. */
    private final Map<Long, Long> restingUntilNanos = new HashMap<>();

    private final Map<Long, Backoff> restOf = new HashMap<>();
    private final List<FlushAll> flushAlls = new ArrayList<>();
    private final Backoff storeBackoff;
    private final Backoff controlBackoff;
    private long notBeforeNanos;
    private final AtomicBoolean pumpQueued = new AtomicBoolean();
    private volatile FlushStats stats = FlushStats.NONE;
    private volatile String stopped = "";
    private volatile boolean closed;

    /** Idle until {@link #start}. The loop stays the caller's. */
    public Flusher(
            Wal wal,
            ControlPlane controlPlane,
            ObjectStore store,
            RollRequest roller,
            int nodeId,
            long nodeEpoch,
            FlushSettings settings,
            FlushLoop loop,
            RandomGenerator random,
            FlushMetrics metrics) {
        this.controlPlane = controlPlane;
        this.roller = roller;
        this.loop = loop;
        this.settings = settings;
        this.metrics = metrics;
        this.random = random;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.extents = new LocalExtents(wal, nodeId);
        this.uploads =
                new Uploads(wal, controlPlane, store, loop, settings, nodeId, nodeEpoch, ByteBufAllocator.DEFAULT);
        this.hotWindow = new HotWindow(wal, controlPlane, extents, loop, settings, metrics, nodeId);
        this.storeBackoff = new Backoff(settings.backoffMs(), settings.backoffMaxMs(), random);
        this.controlBackoff = new Backoff(settings.backoffMs(), settings.backoffMaxMs(), random);
        this.notBeforeNanos = loop.nanoTime();
    }

    /** After the local WAL was recovered and settled. */
    public void start() {
        controlPlane.subscribe((delta, image) -> {
            if (!delta.extents().isEmpty()) {
                pumpSoon();
            }
        });
        loop.execute(this::tick);
    }

    /** Asks that the open extents with data end now, so that they are flushed soon. */
    public void kick() {
        loop.execute(this::rollOpen);
    }

    /**
     * Rolls the open extents and completes when all data of this node that was acknowledged before the call is published: true; false
     * if that took longer.
     */
    public CompletionStage<Boolean> flushAll(long timeoutMs) {
        CompletableFuture<Boolean> result = new CompletableFuture<>();
        loop.execute(() -> {
            ClusterImage image = controlPlane.image();
            List<Long> wanted = new ArrayList<>();
            extents.sealed(image).forEach(extent -> wanted.add(extent.extentId()));
            extents.open(image, nodeEpoch).forEach(extent -> wanted.add(extent.extentId()));
            flushAlls.add(new FlushAll(wanted, loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs), result));
            loop.schedule(this::answerFlushAlls, timeoutMs);
            rollOpen();
            pump();
        });
        return result;
    }

    public FlushStats stats() {
        return stats;
    }

    /** No new step is begun. Uploads under way end by themselves; what they leave expires (O3). */
    @Override
    public void close() {
        closed = true;
        loop.execute(() -> {
            flushAlls.forEach(all -> all.result().complete(false));
            flushAlls.clear();
        });
    }

    private void tick() {
        if (ended()) {
            return;
        }
        pump();
        loop.schedule(this::tick, TICK_MS);
    }

    private void pumpSoon() {
        if (!closed && pumpQueued.compareAndSet(false, true)) {
            loop.execute(() -> {
                pumpQueued.set(false);
                pump();
            });
        }
    }

    private void pump() {
        if (ended()) {
            return;
        }
        publishWaiting();
        startUploads();
        hotWindow.trim();
        answerFlushAlls();
        look();
    }

    private boolean ended() {
        return closed || !stopped.isEmpty();
    }

    private void rollOpen() {
        for (ExtentState open : extents.open(controlPlane.image(), nodeEpoch)) {
            roller.roll(Lane.of(open.lane()), open.extentId());
        }
    }

    // ---- upload

    private void startUploads() {
        if (loop.nanoTime() - notBeforeNanos < 0) {
            return;
        }
        List<ExtentState> sealed = extents.sealed(controlPlane.image());
        forgetAllBut(sealed);
        for (ExtentState extent : sealed) {
            int places = storeBackoff.failing() || controlBackoff.failing() ? 1 : settings.concurrency();
            if (uploading.size() >= places) {
                return;
            }
            if (mayStart(extent) && fits(extent)) {
                upload(extent);
            }
        }
    }

    private boolean mayStart(ExtentState extent) {
        long id = extent.extentId();
        if (uploading.containsKey(id) || waiting.containsKey(id)) {
            return false;
        }
        Long restsUntil = restingUntilNanos.get(id);
        if (restsUntil != null && loop.nanoTime() - restsUntil < 0) {
            return false;
        }
        // Those that wait may wait for this one: an older extent always goes.
        return waiting.isEmpty()
                || waiting.size() + uploading.size() < settings.uploadedMax()
                || id < waiting.firstKey();
    }

    private boolean fits(ExtentState extent) {
        long inMemory = uploading.values().stream().mapToLong(Long::longValue).sum();
        return inMemory == 0 || inMemory + extents.bytes(extent) <= settings.memoryBytes();
    }

    private void upload(ExtentState extent) {
        long started = loop.nanoTime();
        uploading.put(extent.extentId(), extents.bytes(extent));
        FlushFailure.attempt(Stage.UPLOAD, () -> uploads.upload(extent.extentId()))
                .whenComplete(
                        (uploaded, failure) -> loop.execute(() -> uploadEnded(extent, started, uploaded, failure)));
    }

    private void uploadEnded(
            ExtentState extent, long started, @Nullable Uploaded uploaded, @Nullable Throwable failure) {
        uploading.remove(extent.extentId());
        if (uploaded == null) {
            Throwable cause = failure == null ? new IllegalStateException("neither uploaded nor failed") : failure;
            uploadFailed(extent, FlushFailure.from(Stage.UPLOAD, cause));
        } else {
            if (uploaded.objectId() >= 0 && storeBackoff.failing()) {
                LOG.info("The object store takes uploads again after {} failures", storeBackoff.failures());
                storeBackoff.succeeded();
            }
            waiting.put(extent.extentId(), new Waiting(extent, uploaded, started, false));
        }
        pump();
    }

    private void uploadFailed(ExtentState extent, FlushFailure failure) {
        metrics.failed(failure.stage());
        if (failure.reason() == Reason.FENCED) {
            stop(failure);
        } else if (failure.stage() == Stage.LOAD) {
            rest(extent, failure);
        } else {
            Backoff backoff = failure.stage() == Stage.UPLOAD ? storeBackoff : controlBackoff;
            pause(extent, failure, backoff);
        }
    }

    /** The trouble is not this extent's: nothing is begun for a while. */
    private void pause(ExtentState extent, FlushFailure failure, Backoff backoff) {
        long waitMs = backoff.failedMs();
        notBeforeNanos = loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs);
        loop.schedule(this::pump, waitMs);
        if (backoff.failures() == 1 || backoff.failures() % 20 == 0) {
            LOG.warn(
                    "Flush of extent {} failed at {}, attempt {}; what is acknowledged stays safe in the WAL. Trying on: {}",
                    extent.extentId(),
                    failure.stage(),
                    backoff.failures(),
                    failure.getMessage());
        }
    }

    /** The trouble is this extent's own: others go on. */
    private void rest(ExtentState extent, FlushFailure failure) {
        Backoff backoff = restOf.computeIfAbsent(
                extent.extentId(), id -> new Backoff(settings.backoffMs(), BROKEN_EXTENT_RETRY_MS, random));
        long waitMs = backoff.failedMs();
        restingUntilNanos.put(extent.extentId(), loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs));
        loop.schedule(this::pump, waitMs);
        if (backoff.failures() == 1) {
            LOG.error(
                    "Extent {} cannot be flushed ({}): {}. It stays in the WAL and is tried again; later data of its streams waits for it",
                    extent.extentId(),
                    failure.stage(),
                    failure.getCause() == null
                            ? failure.toString()
                            : failure.getCause().toString());
        }
    }

    // ---- publish

    private void publishWaiting() {
        for (Waiting one : List.copyOf(waiting.values())) {
            if (!one.publishing()) {
                publish(one);
            }
        }
    }

    private void publish(Waiting one) {
        long id = one.extent().extentId();
        Uploaded uploaded = one.uploaded();
        waiting.put(id, new Waiting(one.extent(), uploaded, one.startedNanos(), true));
        Command.PublishFlush command = new Command.PublishFlush(
                nodeId,
                nodeEpoch,
                id,
                uploaded.objectId(),
                uploaded.objectBytes(),
                uploaded.ranges(),
                uploaded.checkpoints());
        FlushFailure.attempt(Stage.PUBLISH, () -> controlPlane.submit(command))
                .whenComplete((done, failure) -> loop.execute(() -> {
                    if (failure == null) {
                        published(one);
                    } else {
                        publishFailed(one, FlushFailure.from(Stage.PUBLISH, failure));
                    }
                }));
    }

    private void published(Waiting one) {
        long id = one.extent().extentId();
        waiting.remove(id);
        uploads.forget(id);
        controlBackoff.succeeded();
        metrics.published(
                Lane.of(one.extent().lane()), one.uploaded().objectBytes(), loop.nanoTime() - one.startedNanos());
        pump();
    }

    private void publishFailed(Waiting one, FlushFailure failure) {
        long id = one.extent().extentId();
        Reason reason = failure.reason();
        if (reason == Reason.NOT_YET) {
            // Tried again when another one was published, and at the next tick.
            waiting.put(id, new Waiting(one.extent(), one.uploaded(), one.startedNanos(), false));
            return;
        }
        metrics.failed(Stage.PUBLISH);
        if (reason == Reason.FENCED) {
            stop(failure);
        } else if (reason == Reason.NOT_FOUND) {
            LOG.info(
                    "Object {} of extent {} expired before it was published: uploading again",
                    one.uploaded().objectId(),
                    id);
            waiting.remove(id);
            uploads.forget(id);
        } else if (reason == Reason.INVALID || reason == Reason.ALREADY_EXISTS) {
            waiting.remove(id);
            uploads.forget(id);
            rest(one.extent(), failure);
        } else {
            // Unreachable, or unknown whether it was done: the same command again does no harm.
            pause(one.extent(), failure, controlBackoff);
            loop.schedule(
                    () -> waiting.computeIfPresent(
                            id, (key, now) -> new Waiting(now.extent(), now.uploaded(), now.startedNanos(), false)),
                    TICK_MS);
        }
    }

    private void stop(FlushFailure failure) {
        if (stopped.isEmpty()) {
            stopped = String.valueOf(failure.getMessage());
            LOG.error("This node's epoch is over, its flush stops: {}", stopped);
            waiting.clear();
            flushAlls.forEach(all -> all.result().complete(false));
            flushAlls.clear();
            look();
        }
    }

    // ---- what became of it

    private void forgetAllBut(List<ExtentState> sealed) {
        List<Long> ids = sealed.stream().map(ExtentState::extentId).toList();
        restingUntilNanos.keySet().retainAll(ids);
        restOf.keySet().retainAll(ids);
    }

    private void answerFlushAlls() {
        Iterator<FlushAll> each = flushAlls.iterator();
        while (each.hasNext()) {
            FlushAll all = each.next();
            boolean done = all.extents().stream().noneMatch(this::unpublished);
            if (done || loop.nanoTime() - all.deadlineNanos() >= 0) {
                each.remove();
                all.result().complete(done);
            }
        }
    }

    private boolean unpublished(long extentId) {
        return controlPlane
                .image()
                .extent(extentId)
                .filter(extent -> extent.phase() != Phase.FLUSHED)
                .isPresent();
    }

    private void look() {
        ClusterImage image = controlPlane.image();
        LocalExtents.Unflushed unflushed = extents.unflushed(image, loop.wallClockMs());
        int doomed = (int) image.objects().stream()
                .filter(object -> object.phase() == ObjectState.Phase.DOOMED)
                .count();
        stats = new FlushStats(
                unflushed.oldestMs(),
                unflushed.bytes(),
                unflushed.extents(),
                hotWindow.hotBytes(),
                doomed,
                storeBackoff.failures(),
                stopped);
    }
}
