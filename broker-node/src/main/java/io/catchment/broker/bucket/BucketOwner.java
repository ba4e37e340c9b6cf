package io.catchment.broker.bucket;

import io.catchment.broker.loop.Attempt;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Thread-safe. Whether this node's cluster owns the bucket, by the markers in it: looked at when the node starts, then every so often,
 * and before what must not be done by a former owner. A bucket that nobody owns is taken; one that another cluster has taken is
 * never written to again by this process, nor one of another history of this cluster: controllers that began anew with empty directories
 * would give out the ids of the objects in it again. While the store does not answer nothing is known, and nothing is written without another look.
 */
public final class BucketOwner implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BucketOwner.class);

    /** So many looks may fail before the right to write lapses. */
    private static final int LOOKS_PER_VALIDITY = 3;

    /** The longest time between two looks that a node may be told. A recovery relies on it. */
    public static final int CHECK_MS_MAX = 600_000;

    static final long VALIDITY_MS_MAX = validityMs(CHECK_MS_MAX);

    private final OwnerMarkers markers;
    private final String clusterId;
    private final CompletionStage<Uuid> historyId;
    private final long checkMs;
    private final SerialLoop loop;
    private volatile long generation;
    private volatile long lookedNanos;
    private volatile Optional<OwnerMarker> otherOwner = Optional.empty();
    private volatile boolean closed;

    /**
     * @param store as it is, without {@link OwnedStore} around it
     * @param historyId of the control plane's state, as soon as it is known: until then nobody knows whether the bucket is this one's
     * @param checkMs between two looks
     * @param loop closed with this
     */
    public BucketOwner(
            ObjectStore store, String clusterId, CompletionStage<Uuid> historyId, long checkMs, SerialLoop loop) {
        this.markers = new OwnerMarkers(store);
        this.clusterId = clusterId;
        this.historyId = historyId;
        this.checkMs = checkMs;
        this.loop = loop;
    }

    public static long validityMs(long checkMs) {
        return LOOKS_PER_VALIDITY * checkMs;
    }

    /** The first look, and all that follow. Done when that one has succeeded or failed; fails as {@link #confirm}. */
    public CompletionStage<Void> start() {
        loop.schedule(this::look, checkMs);
        return confirm();
    }

    /** Of this cluster's ownership; 0 while it is not known, and when it is over. */
    public long generation() {
        return otherOwner.isPresent() ? 0 : generation;
    }

    /** Who has the bucket, if it is not this cluster: for people. */
    public Optional<String> otherOwner() {
        return otherOwner.map(this::describe);
    }

    /** The same if it is another history of this very cluster. */
    public Optional<String> otherHistory() {
        return otherOwner.filter(this::isThisCluster).map(this::describe);
    }

    private boolean isThisCluster(OwnerMarker marker) {
        return marker.clusterId().equals(clusterId);
    }

    /** Whether writing may begin now without another look. */
    public boolean mayWrite() {
        return generation > 0
                && otherOwner.isEmpty()
                && loop.nanoTime() - lookedNanos < TimeUnit.MILLISECONDS.toNanos(validityMs(checkMs));
    }

    /**
     * Looks now. Fails with {@link ObjectStoreException}: REFUSED if another cluster has the bucket; else whose it is is not known.
     */
    public CompletionStage<Void> confirm() {
        if (otherOwner.isPresent()) {
            return CompletableFuture.failedStage(refusal());
        }
        long began = loop.nanoTime();
        long known = generation;
        if (known == 0) {
            return settle();
        }
        return markers.newestGeneration().thenCompose(newest -> {
            if (newest.isPresent() && newest.getAsLong() > known) {
                return settle();
            }
            lookedNanos = began;
            return CompletableFuture.completedStage(null);
        });
    }

    private CompletionStage<Void> settle() {
        long began = loop.nanoTime();
        return markers.newest()
                .thenCompose(newest -> newest.isPresent() && !isThisCluster(newest.get())
                        ? refused(newest.get())
                        : historyId.thenCompose(mine -> settle(newest, mine, began)));
    }

    private CompletionStage<Void> settle(Optional<OwnerMarker> newest, Uuid mine, long began) {
        CompletionStage<OwnerMarker> counts = newest.isPresent()
                ? CompletableFuture.completedStage(newest.get())
                : markers.claim(new OwnerMarker(1, clusterId, mine, validityMs(checkMs), loop.wallClockMs()));
        return counts.thenCompose(marker -> {
            if (!isThisCluster(marker) || !marker.historyId().equals(mine)) {
                return refused(marker);
            }
            lookedNanos = began;
            generation = marker.generation();
            return CompletableFuture.completedStage(null);
        });
    }

    private CompletionStage<Void> refused(OwnerMarker other) {
        lost(other);
        return CompletableFuture.failedStage(refusal());
    }

    private void look() {
        if (closed || otherOwner.isPresent()) {
            return;
        }
        // A failure says nothing: the right lapses by itself. Whatever a look runs into, there is a next one
        Attempt.of(this::confirm).whenComplete((done, failure) -> loop.schedule(this::look, checkMs));
    }

    private synchronized void lost(OwnerMarker to) {
        if (otherOwner.isEmpty()) {
            otherOwner = Optional.of(to);
            LOG.error(
                    "{}. This node of cluster {} writes and deletes nothing there any more: what it acknowledges stays in its WAL",
                    describe(to),
                    clusterId);
        }
    }

    private ObjectStoreException refusal() {
        return new ObjectStoreException(
                Reason.REFUSED,
                otherHistory()
                        .orElseGet(
                                () -> otherOwner().orElse("") + "; this is cluster " + clusterId
                                        + ". Give this cluster another bucket or prefix; only `catchment recover` takes a bucket over"),
                null);
    }

    private String describe(OwnerMarker owner) {
        return "The object store belongs to "
                + (isThisCluster(owner) ? "another history of cluster " : "cluster ")
                + owner.clusterId() + ", generation " + owner.generation()
                + (isThisCluster(owner)
                        ? ": it was recovered once more, or the controllers here began anew without their state, and know nothing of"
                                + " what is there. Only one history may go on: stop all nodes of the others. To have what is there, empty"
                                + " their controllers' directories and run `catchment recover` with a new catchment.cluster.id; only to"
                                + " give it up, name another bucket or prefix"
                        : "");
    }

    @Override
    public void close() {
        closed = true;
        loop.close();
    }
}
