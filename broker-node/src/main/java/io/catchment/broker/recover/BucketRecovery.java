package io.catchment.broker.recover;

import io.catchment.broker.bucket.OwnerMarker;
import io.catchment.broker.bucket.OwnerMarkers;
import io.catchment.broker.snapshot.KeptSnapshots;
import io.catchment.broker.snapshot.KeptSnapshots.Kept;
import io.catchment.broker.snapshot.SnapshotKey;
import io.catchment.controlplane.archive.CorruptArchiveException;
import io.catchment.controlplane.archive.Restoration;
import io.catchment.controlplane.archive.Restoration.Restored;
import io.catchment.controlplane.archive.StateArchive;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bucket is taken over, and the state of the new cluster made from what is in it. Used by one thread, which it blocks; a crash anywhere is
 * harmless, and running it again with the same cluster id begins anew, as the next owner.
 *
 * <p>The order makes it safe: the new owner's marker first, so that whatever the former owner begins to delete from now on it refuses; then
 * a wait, so that what it may still be writing in good faith is there; then the newest snapshot and the objects; last the new owner's own
 * first snapshot, so that from now on nobody takes the former one's for the truth.
 */
public final class BucketRecovery {
    private static final Logger log = LoggerFactory.getLogger(BucketRecovery.class);
    /** More than the clocks of two machines differ in speed. */
    private static final double CLOCK_TOLERANCE = 1.1;

    private final ObjectStore store;
    private final OwnerMarkers markers;
    private final KeptSnapshots snapshots;
    private final String clusterId;
    private final long validityMs;
    private final LongSupplier wallClockMs;
    private final Sleep sleep;
    private final ScheduledExecutorService timer;

    /** How time is waited out. */
    @FunctionalInterface
    public interface Sleep {
        void forMs(long ms) throws InterruptedException;
    }

    /**
     * @param store as it is
     * @param clusterId of the new cluster, which no cluster had before
     * @param validityMs of the new owner's right to write without a look
     */
    public BucketRecovery(
            ObjectStore store,
            String clusterId,
            long validityMs,
            LongSupplier wallClockMs,
            Sleep sleep,
            ScheduledExecutorService timer) {
        this.store = store;
        this.markers = new OwnerMarkers(store);
        this.snapshots = new KeptSnapshots(store);
        this.clusterId = clusterId;
        this.validityMs = validityMs;
        this.wallClockMs = wallClockMs;
        this.sleep = sleep;
        this.timer = timer;
    }

    /** @throws RecoveryException with what is wrong, and what to do */
    public Restored run() throws RecoveryException, InterruptedException {
        OwnerMarker former = newestMarker()
                .orElseThrow(
                        () -> new RecoveryException("no cluster has ever owned this object store: there is nothing to"
                                + " recover. Is the bucket and the prefix the right one?"));
        List<Kept> kept = get("the snapshots of the state", snapshots.list());
        if (kept.isEmpty()) {
            throw new RecoveryException("there is no snapshot of a state: cluster " + former.clusterId()
                    + " has not lived long enough to write one, or it was deleted. Nothing was changed");
        }
        SnapshotKey newest = kept.get(kept.size() - 1).name();
        if (former.clusterId().equals(clusterId)) {
            requireNotLived(former, newest);
        }
        OwnerMarker mine = claim(former);
        long waitMs = (long) Math.ceil(longestValidityMs(newest.generation()) * CLOCK_TOLERANCE);
        log.info(
                "Cluster {} owns the bucket now, generation {}; waiting {} ms for what the former owner may still be writing",
                clusterId,
                mine.generation(),
                waitMs);
        sleep.forMs(waitMs);
        StateArchive.Contents state = newest();
        // Whoever came later may have written the newest
        requireStillMine(mine);
        Restoration restoration =
                new Restoration(state, clusterId, mine.historyId(), mine.generation(), wallClockMs.getAsLong());
        try {
            new ManifestScan(store).into(restoration);
            new FooterScan(store, timer).into(restoration);
        } catch (ExecutionException e) {
            throw unanswered("the objects", e);
        }
        Restored restored = restoration.finish();
        keep(restored, mine);
        return restored;
    }

    /**
     * An earlier run has made the marker. Only a cluster that never wrote its state may be begun again: the nodes of one that has lived
     * may live still, and would go on under the same id.
     */
    private void requireNotLived(OwnerMarker former, SnapshotKey newest) throws RecoveryException {
        boolean untouched = newest.generation() < former.generation()
                || (former.generation() > 1 && newest.offset() == Restoration.FIRST_OFFSET - 1);
        if (!untouched) {
            throw new RecoveryException("cluster " + clusterId
                    + " is the one that this object store belongs to, and it has lived: its nodes could go on writing. Choose a"
                    + " new catchment.cluster.id for the recovered cluster. Nothing was changed");
        }
    }

    /** Whoever came after the newest snapshot may have ended before it waited for those before it. */
    private long longestValidityMs(long snapshotGeneration) throws RecoveryException, InterruptedException {
        long longest = get("the owner's markers", markers.longestValidityMs(snapshotGeneration));
        return longest == 0 ? validityMs : longest;
    }

    /** Each run is a history of its own, in a generation of its own: what an earlier one has begun with finds that it is over. */
    private OwnerMarker claim(OwnerMarker former) throws RecoveryException, InterruptedException {
        OwnerMarker wanted = new OwnerMarker(
                former.generation() + 1, clusterId, Uuid.randomUuid(), validityMs, wallClockMs.getAsLong());
        requireMine(wanted, get("the new owner's marker", markers.claim(wanted)));
        return wanted;
    }

    /** The id alone does not tell two runs with the same options apart. */
    private static void requireMine(OwnerMarker mine, OwnerMarker newest) throws RecoveryException {
        if (!newest.equals(mine)) {
            throw new RecoveryException("another recovery has taken the bucket meanwhile, for cluster "
                    + newest.clusterId() + ", generation " + newest.generation());
        }
    }

    /** The newest one that is whole; one of an earlier owner only if the newest owner has none. */
    private StateArchive.Contents newest() throws RecoveryException, InterruptedException {
        List<Kept> kept = get("the snapshots of the state", snapshots.list());
        String broken = "";
        for (int i = kept.size() - 1; i >= 0; i--) {
            SnapshotKey name = kept.get(i).name();
            if (name.generation() != kept.get(kept.size() - 1).name().generation()) {
                break;
            }
            try {
                StateArchive.Contents contents =
                        StateArchive.read(get("the snapshot " + name.key(), snapshots.read(kept.get(i))));
                log.info(
                        "The state is that of {}, with {} records",
                        name.key(),
                        contents.records().size());
                return contents;
            } catch (CorruptArchiveException e) {
                broken += " " + name.key() + ": " + e.getMessage() + ".";
                log.error(
                        "Snapshot {} is broken, an earlier one is used: objects of that time may be gone. {}",
                        name.key(),
                        e.getMessage());
            }
        }
        throw new RecoveryException("no snapshot of the state can be read:" + broken);
    }

    private void requireStillMine(OwnerMarker mine) throws RecoveryException, InterruptedException {
        Optional<OwnerMarker> newest = newestMarker();
        requireMine(
                mine, newest.orElseThrow(() -> new RecoveryException("the owner's markers were deleted meanwhile")));
    }

    private void keep(Restored restored, OwnerMarker mine) throws RecoveryException, InterruptedException {
        requireStillMine(mine);
        ByteBuf body = Unpooled.buffer();
        try (ByteBufOutputStream out = new ByteBufOutputStream(body)) {
            StateArchive.write(restored.image(), mine.generation(), out);
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        SnapshotKey name = new SnapshotKey(mine.generation(), restored.image().offset());
        get("the snapshot " + name.key(), store.put(name.key(), body));
    }

    /**
     * Nothing takes the place of one that cannot be read: without it nobody knows whether this very cluster owns the bucket, and lives; without
     * its object its generation would be given out again, with the ids of what its owner wrote.
     */
    private Optional<OwnerMarker> newestMarker() throws RecoveryException, InterruptedException {
        try {
            return markers.newest().toCompletableFuture().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ObjectStoreException known
                    && known.reason() == ObjectStoreException.Reason.CORRUPT) {
                throw new RecoveryException(
                        "the newest of the owner's markers is damaged, or of a later version of this software: "
                                + known.getMessage()
                                + ". Put this object back as it was, from an earlier version of it or from a copy of the"
                                + " bucket, or use the later version, and run the recovery again. Do not delete it: its"
                                + " generation must not be given out a second time",
                        e);
            }
            throw unanswered("the owner's markers", e);
        }
    }

    private static <T> T get(String what, CompletionStage<T> stage) throws RecoveryException, InterruptedException {
        try {
            return stage.toCompletableFuture().get();
        } catch (ExecutionException e) {
            throw unanswered(what, e);
        }
    }

    private static RecoveryException unanswered(String what, ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return new RecoveryException(
                "the object store did not give or take " + what + ": " + cause.getMessage()
                        + ". Run the recovery again when it answers",
                e);
    }
}
