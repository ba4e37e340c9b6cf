package io.catchment.broker.flush;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ObjectState;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Thread-safe; one for the process, whatever becomes of its epochs. Puts objects under ids that were taken for them, and comes again for those that may
 * get into the store when nobody else would delete them any more (O3).
 *
 * <p>An id whose time is over is doomed, its object deleted, then the id forgotten. What gets into the store after that is an orphan, and only its uploader
 * can know: an upload that ended after its id's time, or one that failed and may take effect all the same. It is deleted once the state does not know
 * the id any more, an upload of unknown fate one upload limit later: no request lives for so long.
 */
public final class ObjectUploader {
    private static final Logger LOG = LoggerFactory.getLogger(ObjectUploader.class);
    private static final int LATE_MAX = 1_000;
    private static final long BARRIER_EVERY_MS = 10_000;
    private static final long NOT_SEEN = -1;

    /**
     * An object that is not published, and never will be.
     *
     * @param ended its upload has ended
     * @param goneOffset of the control log, when its id was seen to be forgotten; {@link #NOT_SEEN} before
     * @param goneNanos when that was
     */
    private record Late(boolean ended, long goneOffset, long goneNanos) {}

    private final ControlPlane controlPlane;
    private final ObjectStore store;
    private final ReapHorizon horizon;
    private final long uploadLimitNanos;
    private final LongSupplier nanoTime;
    /** By id. */
    private final ConcurrentHashMap<Long, Late> late = new ConcurrentHashMap<>();
    /** Of several calls one does the work; the next field is that one's. */
    private final AtomicBoolean deleting = new AtomicBoolean();

    private volatile long nextBarrierNanos;

    /**
     * @param store for work that nobody waits for
     * @param uploadLimitMs time limit of an object's id
     * @param nanoTime monotonic
     */
    public ObjectUploader(
            ControlPlane controlPlane,
            ObjectStore store,
            ReapHorizon horizon,
            long uploadLimitMs,
            LongSupplier nanoTime) {
        this.controlPlane = controlPlane;
        this.store = store;
        this.horizon = horizon;
        this.uploadLimitNanos = TimeUnit.MILLISECONDS.toNanos(uploadLimitMs);
        this.nanoTime = nanoTime;
        this.nextBarrierNanos = nanoTime.getAsLong();
    }

    /** Under an id that is used once: after a failure it must neither be put again nor published. Takes over the body. */
    public CompletionStage<Void> put(long objectId, ByteBuf body) {
        return store.put(ObjectKeys.key(objectId), body).whenComplete((done, failure) -> {
            if (failure != null) {
                givenUp(objectId);
            }
        });
    }

    /** An object that was put could not be published: if that is because its id's time was over, it may have been put after that. */
    public void notPublished(long objectId, Throwable failure) {
        if (FlushFailure.from(Stage.PUBLISH, failure).reason() == Reason.NOT_FOUND) {
            endedLate(objectId);
        }
    }

    /** Its upload ended, and its id's time was over by then. */
    void endedLate(long objectId) {
        add(objectId, true);
    }

    /** None of its uploads is known to have ended well, and there will not be another. */
    void givenUp(long objectId) {
        add(objectId, false);
    }

    private void add(long objectId, boolean ended) {
        if (late.size() < LATE_MAX) {
            late.putIfAbsent(objectId, new Late(ended, NOT_SEEN, 0));
        } else {
            LOG.warn("Object {} may come too late and stay in the store", ObjectKeys.key(objectId));
        }
    }

    /**
     * To be called every now and then while the store answers. Nothing is deleted before no snapshot of the state is kept that has its id as prepared: a
     * recovery from it may take the object for what it is, the data of its extent.
     */
    public void deleteLate() {
        if (late.isEmpty() || !deleting.compareAndSet(false, true)) {
            return;
        }
        Map<Long, Long> due = due(controlPlane.image());
        if (due.isEmpty()) {
            deleting.set(false);
            return;
        }
        FlushFailure.attempt(Stage.REAP, horizon::offset)
                .thenCompose(offset -> delete(due.entrySet().stream()
                        .filter(object -> object.getValue() <= offset)
                        .map(Map.Entry::getKey)
                        .toList()))
                .whenComplete((deleted, failure) -> {
                    if (failure == null) {
                        deleted.forEach(late::remove);
                        if (deleted.size() < due.size()) {
                            moveHorizon();
                        }
                    }
                    deleting.set(false);
                });
    }

    /** Ids, each with the control log's offset when it was seen to be forgotten. */
    private Map<Long, Long> due(ClusterImage image) {
        long now = nanoTime.getAsLong();
        Map<Long, Long> due = new HashMap<>();
        for (long id : new ArrayList<>(late.keySet())) {
            Optional<ObjectState> known = image.object(id);
            if (known.isPresent()) {
                if (known.get().phase() == ObjectState.Phase.PUBLISHED) {
                    LOG.error("Object {} was given up, and is published: it stays", ObjectKeys.key(id));
                    late.remove(id);
                } else {
                    // An image that lagged did not have it yet
                    late.computeIfPresent(id, (key, one) -> new Late(one.ended(), NOT_SEEN, 0));
                }
                continue;
            }
            Late seen = late.computeIfPresent(
                    id, (key, one) -> one.goneOffset() == NOT_SEEN ? new Late(one.ended(), image.offset(), now) : one);
            if (seen != null && (seen.ended() || now - seen.goneNanos() >= uploadLimitNanos)) {
                due.put(id, seen.goneOffset());
            }
        }
        return due;
    }

    /**
     * Snapshots are written of what has changed, and go on by themselves only for what the state knows as doomed, which late objects are not any more. On an
     * idle cluster a barrier is the change that brings the next one.
     */
    private void moveHorizon() {
        long now = nanoTime.getAsLong();
        if (now - nextBarrierNanos >= 0) {
            nextBarrierNanos = now + TimeUnit.MILLISECONDS.toNanos(BARRIER_EVERY_MS);
            // Without an answer the next one comes in its time
            var unused = controlPlane.barrier();
        }
    }

    private CompletionStage<List<Long>> delete(List<Long> ids) {
        if (ids.isEmpty()) {
            return CompletableFuture.completedStage(ids);
        }
        List<String> keys = ids.stream().map(ObjectKeys::key).toList();
        return FlushFailure.attempt(Stage.REAP, () -> store.delete(keys)).thenApply(done -> ids);
    }
}
