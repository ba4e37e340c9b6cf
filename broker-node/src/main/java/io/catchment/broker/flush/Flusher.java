package io.catchment.broker.flush;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.broker.loop.Backoff;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
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
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the flush loop. Turns each sealed extent of this node, and of those it has the FLUSH task for, into one published bundle, in the
 * {@link FlushOrder}.
 *
 * <p>What is to be done is read from the image each time, nothing is kept that a crash could lose: a sealed extent that is here and not
 * FLUSHED is flushed, whoever began it. An extent goes through two steps. <i>Upload</i> has few places and bounded memory; a failing store is
 * asked for one extent at a time, with growing pauses, for ever, and memory is given back between the attempts. <i>Publish</i> is one command,
 * or several bounded ones, in the extent's turn ({@link Publishes}).
 */
public final class Flusher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Flusher.class);
    private static final long TICK_MS = 1_000;

    /** Asked to end an open extent, with the checkpoints of its streams appended first. */
    @FunctionalInterface
    public interface RollRequest {
        void roll(Lane lane, long extentId);
    }

    private record FlushAll(List<Long> extents, long deadlineNanos, CompletableFuture<Boolean> result) {}

    private final ControlPlane controlPlane;
    private final RollRequest roller;
    private final SerialLoop loop;
    private final FlushSettings settings;
    private final FlushMetrics metrics;
    private final long nodeEpoch;

    private final LocalExtents extents;
    private final ObjectUploader uploader;
    private final Uploads uploads;
    private final Publishes publishes;
    private final HotWindow hotWindow;
    private final StuckExtents stuck;
    private final FlushOrder order = new FlushOrder();

    /** Extents under upload, with the bytes they take in memory. */
    private final Map<Long, Long> uploading = new HashMap<>();

    private final List<FlushAll> flushAlls = new ArrayList<>();
    private final Backoff storeBackoff;
    private final Backoff prepareBackoff;
    private long notBeforeNanos;
    private final AtomicBoolean pumpQueued = new AtomicBoolean();
    private final FlushClaims claims;
    private volatile FlushStats stats = FlushStats.NONE;
    private volatile String stopped = "";
    private volatile boolean closed;

    /** Idle until {@link #start}. The loop stays the caller's. {@code stores}: the object store as each lane's flush uses it. */
    public Flusher(
            Wal wal,
            ControlPlane controlPlane,
            Function<Lane, ObjectStore> stores,
            RollRequest roller,
            int nodeId,
            long nodeEpoch,
            FlushSettings settings,
            SerialLoop loop,
            RandomGenerator random,
            FlushMetrics metrics,
            ObjectUploader uploader) {
        this.controlPlane = controlPlane;
        this.roller = roller;
        this.loop = loop;
        this.settings = settings;
        this.metrics = metrics;
        this.nodeEpoch = nodeEpoch;
        this.claims = new FlushClaims(loop);
        this.extents = new LocalExtents(wal, nodeId, nodeEpoch);
        this.stuck = new StuckExtents(loop, settings, random, this::pump);
        this.uploader = uploader;
        this.uploads = new Uploads(
                wal, controlPlane, stores, loop, settings, nodeId, nodeEpoch, ByteBufAllocator.DEFAULT, uploader);
        this.hotWindow = new HotWindow(wal, controlPlane, extents, loop, settings, metrics, nodeId);
        this.storeBackoff = new Backoff(settings.backoffMs(), settings.backoffMaxMs(), random);
        this.prepareBackoff = new Backoff(settings.backoffMs(), settings.backoffMaxMs(), random);
        this.publishes = new Publishes(
                controlPlane,
                loop,
                metrics,
                new PublishListener(),
                new Backoff(settings.backoffMs(), settings.backoffMaxMs(), random),
                nodeId,
                nodeEpoch,
                settings.publishEntriesMax());
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
            if (ended()) {
                result.complete(false);
                return;
            }
            ClusterImage image = controlPlane.image();
            List<Long> wanted = new ArrayList<>();
            extents.unpublished(image).forEach(extent -> wanted.add(extent.extentId()));
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

    /** Extents whose FLUSH task this node is at work on, for the heartbeats. From any thread. */
    public Set<Long> workedOn() {
        return claims.present();
    }

    /** No new step is begun. Uploads under way end by themselves; what they leave expires (O3). */
    @Override
    public void close() {
        closed = true;
        loop.execute(this::forget, this::forget);
    }

    private void forget() {
        flushAlls.forEach(all -> all.result().complete(false));
        flushAlls.clear();
        uploads.forgetAllBut(List.of());
    }

    private void tick() {
        if (ended()) {
            return;
        }
        // Before the work: whatever a look runs into, there is a next one.
        loop.schedule(this::tick, TICK_MS);
        if (!storeBackoff.failing()) {
            uploader.deleteLate();
        }
        pump();
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
        ClusterImage image = controlPlane.image();
        publishes.forgetOthers(image, extents.unpublished(image));
        publishes.publishDue();
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
        if (sealed.isEmpty() && uploading.isEmpty() && storeBackoff.failing()) {
            // Nobody wants any more what the store refused. No upload would ever show that it is back, and merges and
            // manifests wait for that.
            LOG.info("Nothing is left to upload after {} failures", storeBackoff.failures());
            storeBackoff.succeeded();
        }
        while (uploading.size() < (troubled() ? 1 : settings.concurrency())) {
            List<ExtentState> due = sealed.stream().filter(this::mayStart).toList();
            ExtentState extent = storeBackoff.failing() ? inRounds(due) : order.next(due);
            if (extent == null || !fits(extent)) {
                // Nothing goes before one that does not fit yet: else small ones would keep the memory from it for
                // ever.
                return;
            }
            order.begun();
            upload(extent);
        }
    }

    private @Nullable ExtentState inRounds(List<ExtentState> due) {
        return due.stream().min(Comparator.comparingInt(stuck::round)).orElse(null);
    }

    private boolean troubled() {
        return storeBackoff.failing() || prepareBackoff.failing() || !publishes.answering();
    }

    private boolean mayStart(ExtentState extent) {
        long id = extent.extentId();
        if (uploading.containsKey(id) || publishes.holds(id)) {
            return false;
        }
        if (stuck.rests(id)) {
            return false;
        }
        return publishes.taken(settings.uploadedMax()) + uploading.size() < settings.uploadedMax()
                || (uploading.isEmpty() && publishes.mayWaitFor(id));
    }

    private boolean fits(ExtentState extent) {
        long inMemory = uploading.values().stream().mapToLong(Long::longValue).sum();
        return inMemory == 0 || inMemory + extents.bytes(extent) <= settings.memoryBytes();
    }

    private void upload(ExtentState extent) {
        long started = loop.nanoTime();
        uploading.put(extent.extentId(), extents.bytes(extent));
        FlushFailure.attempt(Stage.LOAD, () -> uploads.upload(extent))
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
            if (uploaded.objectId() >= 0) {
                stuck.storeTook(extent.extentId());
            }
            prepareBackoff.succeeded();
            publishes.add(extent, uploaded, started);
        }
        pump();
    }

    private void uploadFailed(ExtentState extent, FlushFailure failure) {
        metrics.failed(failure.stage());
        if (failure.reason() == Reason.FENCED) {
            stop(failure);
        } else if (failure.stage() == Stage.LOAD) {
            stuck.rest(extent, failure);
        } else {
            if (failure.stage() == Stage.UPLOAD) {
                stuck.storeRefused(extent, failure);
            }
            Backoff backoff = failure.stage() == Stage.UPLOAD ? storeBackoff : prepareBackoff;
            pause(extent, failure, backoff);
        }
    }

    /** The trouble is not this extent's: nothing is begun for a while. */
    private void pause(ExtentState extent, FlushFailure failure, Backoff backoff) {
        if (backoff.failing() && loop.nanoTime() - notBeforeNanos < 0) {
            // It began together with the one that was counted.
            return;
        }
        long waitMs = backoff.failedMs();
        notBeforeNanos = loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs);
        loop.schedule(this::pump, waitMs);
        failure.logged(LOG, extent.extentId(), backoff);
    }

    // ---- publish

    private final class PublishListener implements Publishes.Listener {
        @Override
        public void published(ExtentState extent) {
            uploads.forget(extent.extentId());
        }

        @Override
        public void expired(ExtentState extent, long objectId) {
            uploads.discard(extent.extentId(), objectId);
        }

        @Override
        public void refused(ExtentState extent, FlushFailure failure) {
            uploads.forget(extent.extentId());
            stuck.rest(extent, failure);
        }

        @Override
        public void fenced(FlushFailure failure) {
            stop(failure);
        }

        @Override
        public void look() {
            pump();
        }
    }

    private void stop(FlushFailure failure) {
        if (stopped.isEmpty()) {
            stopped = String.valueOf(failure.getMessage());
            LOG.error("This node's epoch is over, its flush stops: {}", stopped);
            publishes.clear();
            flushAlls.forEach(all -> all.result().complete(false));
            flushAlls.clear();
            look();
        }
    }

    // ---- what became of it

    private void forgetAllBut(List<ExtentState> sealed) {
        List<Long> ids = sealed.stream().map(ExtentState::extentId).toList();
        stuck.forgetAllBut(ids);
        uploads.forgetAllBut(ids);
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

    /** For people and failed tests: what is under way, and what is waited for. On the loop. */
    String describe() {
        return "uploading " + uploading + ", " + stuck.describe() + ", nothing begun for ms "
                + TimeUnit.NANOSECONDS.toMillis(notBeforeNanos - loop.nanoTime()) + ", publishes "
                + publishes.describe();
    }

    /**
     * The disk does not give it, or gives nothing of what is under way, so that its own turn does not come. To give a task up that ends after all
     * does no harm: only who has it then may publish, and what was uploaded without it expires.
     */
    private boolean getsNowhere(long extentId) {
        boolean begun = uploading.containsKey(extentId) || publishes.holds(extentId);
        return uploads.hangs(extentId) || (!begun && nothingMoves());
    }

    private boolean nothingMoves() {
        return !uploading.isEmpty() && uploading.keySet().stream().allMatch(uploads::hangs);
    }

    private void look() {
        ClusterImage image = controlPlane.image();
        LocalExtents.Unflushed unflushed = extents.unflushed(image, loop.wallClockMs());
        Set<Long> working = extents.tasks(image);
        working.removeAll(stuck.loud());
        working.removeIf(this::getsNowhere);
        claims.say(ended() ? Set.of() : working);
        int doomed = (int) image.objects().stream()
                .filter(object -> object.phase() == ObjectState.Phase.DOOMED)
                .count();
        stats = new FlushStats(
                unflushed.oldestMs(),
                unflushed.bytes(),
                unflushed.extents(),
                stuck.loud().size(),
                hotWindow.hotBytes(),
                doomed,
                storeBackoff.failures(),
                stopped);
    }
}
