package io.catchment.broker.extents;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.wal.CorruptExtentException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the keeper's loop. Each extent in this store gets what the control plane has decided: its final length, or its end. A copy is deleted only
 * when it is certain that it is of no use: the extent is sealed without this store (nothing can make it a holder but its own report) and
 * flushed or held by enough live stores, or an image that is surely newer than the copy does not know it (an extent is in the state before
 * any store hears of it). A sealed extent that too few live stores hold may be whole here, on a disk that was away for a while: then
 * this store becomes a holder.
 */
final class LocalCopies {
    private static final Logger LOG = LoggerFactory.getLogger(LocalCopies.class);
    private static final int AT_ONCE = 1024;
    /** Who seals an extent also tells its stores; this is for those that did not hear it. */
    private static final long GRACE_MS = 2_000;
    /** A deletion does not leave an extent that was acknowledged by more to a single disk. */
    private static final int LIVE_HOLDERS_MIN = 2;

    /** One failure to read may be the moment's; so many are a disk that cannot give the copy back. */
    private static final int UNREADABLE_AT_FAILURE = 6;

    private final LocalStore store;
    private final ControlPlane controlPlane;
    private final SerialLoop loop;
    private final Repairs repairs;
    private final Attempts attempts;
    private final Set<Long> settled = new HashSet<>();
    /** Since when extents need something done, as the keeper saw it. */
    private final Map<Long, Long> dueSinceNanos = new HashMap<>();
    /** Asked about in this look; of others nothing is remembered. */
    private final Set<Long> asked = new HashSet<>();
    /** Of an earlier run, and not looked at yet: the node is not ready while there are any. */
    private final Set<Long> fromBefore = new HashSet<>();

    LocalCopies(
            LocalStore store,
            ControlPlane controlPlane,
            SerialLoop loop,
            RandomGenerator random,
            Repairs repairs,
            Runnable look) {
        this.store = store;
        this.controlPlane = controlPlane;
        this.loop = loop;
        this.repairs = repairs;
        this.attempts = new Attempts(loop, random, AT_ONCE, look);
    }

    /** Before the first look. */
    void begin() {
        fromBefore.addAll(store.unsettled());
    }

    void look() {
        // The store before the image: what was here then and is not known now is not merely newer.
        asked.clear();
        List<Long> local = store.extents();
        Set<Long> unsettled = new HashSet<>(store.unsettled());
        ClusterImage image = controlPlane.image();
        Set<Long> here = new HashSet<>(local);
        for (long extentId : local) {
            ExtentState extent = image.extent(extentId).orElse(null);
            if (extent == null) {
                deleteUnknown(extentId);
            } else if (!extent.isSealed()) {
                fromBefore.remove(extentId);
            } else if (isHolder(extent)) {
                settle(extent, unsettled.contains(extentId));
            } else if (repairs.concerns(extentId)) {
                fromBefore.remove(extentId);
            } else if (mayBeNeeded(image, extent)) {
                offer(extent, unsettled.contains(extentId));
            } else {
                deleteSuperfluous(extent, unsettled.contains(extentId));
            }
        }
        lookForLost(image, here);
        fromBefore.retainAll(here);
        settled.retainAll(here);
        attempts.forgetAllBut(here);
        dueSinceNanos.keySet().retainAll(asked);
    }

    /** Everything of earlier runs has its final length, is deleted, or was found to be impossible for now. */
    boolean isInStep() {
        return fromBefore.isEmpty();
    }

    private boolean isHolder(ExtentState extent) {
        return extent.holders().contains(Extents.store(store.self()));
    }

    // ---- final length

    private void settle(ExtentState extent, boolean unsettled) {
        long id = extent.extentId();
        if (repairs.concerns(id)) {
            fromBefore.remove(id);
            return;
        }
        if (unsettled) {
            // Also what was settled once: a reader has found it damaged since.
            settled.remove(id);
        }
        if (settled.contains(id) || !attempts.mayStart(id) || !(unsettled || isDue(id))) {
            return;
        }
        attempts.start(
                id,
                () -> store.settle(id, extent.length()),
                done -> {
                    settled.add(id);
                    ended(id);
                },
                failure -> settleFailed(extent, failure));
    }

    private void settleFailed(ExtentState extent, Throwable failure) {
        if (!(failure instanceof CorruptExtentException) && !isUnreadable(extent)) {
            failed(extent.extentId(), "settled", failure);
            return;
        }
        fromBefore.remove(extent.extentId());
        attempts.pause(extent.extentId());
        ExtentState now = controlPlane.image().extent(extent.extentId()).orElse(null);
        if (now != null && now.phase() == ExtentState.Phase.FLUSHED) {
            LOG.error(
                    "The local copy of extent {} is damaged and deleted; it is flushed. Check this node's disk: {}",
                    extent.extentId(),
                    failure.getMessage());
            delete(extent.extentId());
        } else {
            repairs.damaged(extent, String.valueOf(failure.getMessage()));
        }
    }

    /**
     * What cannot be written has its final length in the store's memory all the same. The last copy is never taken for unreadable, since who
     * accepts loss would lose it: it is tried on.
     */
    private boolean isUnreadable(ExtentState extent) {
        long id = extent.extentId();
        ClusterImage image = controlPlane.image();
        return attempts.failures(id) + 1 >= UNREADABLE_AT_FAILURE
                && store.unsettled().contains(id)
                && Extents.refs(extent.holders()).stream()
                        .anyMatch(holder -> !holder.equals(store.self()) && !Extents.isGone(image, holder));
    }

    /** Recorded as held here, and not here: what was deleted by hand, or by a disk. Looked at twice, since repairs end meanwhile. */
    private void lookForLost(ClusterImage image, Set<Long> here) {
        for (ExtentState extent : image.extents()) {
            long id = extent.extentId();
            if (extent.phase() == ExtentState.Phase.SEALED
                    && extent.length() > 0
                    && !here.contains(id)
                    && isHolder(extent)
                    && !repairs.concerns(id)
                    && isDue(id)) {
                repairs.damaged(extent, "it is not in this WAL directory");
            }
        }
    }

    // ---- copies that no record names

    private static boolean mayBeNeeded(ClusterImage image, ExtentState extent) {
        long live = Extents.refs(extent.holders()).stream()
                .filter(holder -> Extents.isLive(image, holder))
                .count();
        return extent.phase() == ExtentState.Phase.SEALED
                && extent.length() > 0
                && live < Math.min(LIVE_HOLDERS_MIN, extent.ackQuorum());
    }

    /** What is not all of the extent is no holder, and stays as it is until there are enough of them. */
    private void offer(ExtentState extent, boolean unsettled) {
        long id = extent.extentId();
        if (attempts.mayStart(id) && (unsettled || isDue(id))) {
            attempts.start(
                    id,
                    () -> store.verify(id, extent.length()),
                    done -> {
                        settled.add(id);
                        ended(id);
                        repairs.found(id);
                    },
                    failure -> failed(id, "made a holder's copy", failure));
        }
    }

    // ---- deletion

    private void deleteSuperfluous(ExtentState extent, boolean unsettled) {
        long id = extent.extentId();
        if (attempts.mayStart(id) && (unsettled || isDue(id))) {
            LOG.info(
                    "Extent {} is {} at {} bytes without this store: its local copy is deleted",
                    id,
                    extent.phase(),
                    extent.length());
            delete(id);
        }
    }

    private void delete(long extentId) {
        attempts.start(
                extentId,
                () -> store.delete(extentId),
                done -> ended(extentId),
                failure -> failed(extentId, "deleted", failure));
    }

    /** After a barrier the image has all that was committed when it began, and so everything a store could have heard of by then. */
    private void deleteUnknown(long extentId) {
        if (!attempts.mayStart(extentId)) {
            return;
        }
        attempts.start(
                extentId,
                controlPlane::barrier,
                done -> {
                    if (controlPlane.image().extent(extentId).isEmpty()
                            && store.extents().contains(extentId)) {
                        LOG.info("Extent {} is unknown to the control plane: its local copy is deleted", extentId);
                        delete(extentId);
                    }
                },
                failure -> {
                    attempts.pause(extentId);
                });
    }

    // ---- both

    private boolean isDue(long extentId) {
        asked.add(extentId);
        long now = loop.nanoTime();
        long since = dueSinceNanos.computeIfAbsent(extentId, id -> now);
        return now - since >= TimeUnit.MILLISECONDS.toNanos(GRACE_MS);
    }

    private void ended(long extentId) {
        fromBefore.remove(extentId);
        attempts.succeeded(extentId);
    }

    private void failed(long extentId, String what, Throwable failure) {
        fromBefore.remove(extentId);
        if (attempts.pause(extentId)) {
            LOG.warn("Extent {} could not be {} in this store yet, trying on: {}", extentId, what, failure.toString());
        }
    }
}
