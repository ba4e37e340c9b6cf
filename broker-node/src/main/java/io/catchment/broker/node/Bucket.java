package io.catchment.broker.node;

import io.catchment.broker.bucket.BucketOwner;
import io.catchment.broker.bucket.OwnedStore;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.flush.ReapHorizon;
import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.observe.Readiness;
import io.catchment.broker.snapshot.KeptSnapshots;
import io.catchment.broker.snapshot.SnapshotHorizon;
import io.catchment.broker.snapshot.StateSnapshots;
import io.catchment.controlplane.ControlPlane;
import io.catchment.objectstore.ObjectStore;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The object store as this cluster's: who may write to it, and the state in it. Immutable. */
final class Bucket implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Bucket.class);
    /** A store that does not answer must not hold up a start: then nothing is written before it has. */
    private static final long FIRST_LOOK_MS = 3_000;

    private final BucketOwner owner;
    private final ObjectStore store;
    private final ReapHorizon horizon;
    private final long snapshotMs;
    private final CompletableFuture<Void> firstLook;

    private Bucket(ObjectStore bare, BucketOwner owner, long snapshotMs) {
        this.owner = owner;
        this.store = new OwnedStore(bare, owner);
        this.horizon = new SnapshotHorizon(new KeptSnapshots(bare), owner::generation, System::nanoTime);
        this.snapshotMs = snapshotMs;
        this.firstLook = owner.start().toCompletableFuture();
    }

    /** Looks for the first time, in the background. The store stays the caller's. */
    static Bucket open(ObjectStore bare, String clusterId, NodeConfig.Store settings, Readiness readiness) {
        BucketOwner owner = new BucketOwner(bare, clusterId, settings.checkMs(), new SerialThread("bucket-owner"));
        readiness.condition("object-store-owner", () -> owner.otherOwner().orElse(""));
        return new Bucket(bare, owner, settings.snapshotMs());
    }

    BucketOwner owner() {
        return owner;
    }

    ObjectStore store() {
        return store;
    }

    ReapHorizon horizon() {
        return horizon;
    }

    /** @param through this one's store, by whatever schedules its transfers */
    StateSnapshots snapshots(ObjectStore through, ControlPlane controlPlane, int nodeId) {
        return new StateSnapshots(
                controlPlane, through, owner::generation, nodeId, snapshotMs, new SerialThread("state-snapshots"));
    }

    /** @throws IOException when the bucket is another cluster's */
    void awaitFirstLook() throws IOException, InterruptedException {
        try {
            firstLook.get(FIRST_LOOK_MS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            Throwable cause = e.getCause() instanceof CompletionException wrapped ? wrapped.getCause() : e.getCause();
            if (owner.otherOwner().isPresent() && cause != null) {
                throw new IOException(cause.getMessage(), cause);
            }
            log.warn(
                    "Whether the object store is this cluster's is not known yet, nothing is written to it until it is: {}",
                    cause == null ? "no answer within " + FIRST_LOOK_MS + " ms" : cause.getMessage());
        }
    }

    @Override
    public void close() {
        owner.close();
    }
}
