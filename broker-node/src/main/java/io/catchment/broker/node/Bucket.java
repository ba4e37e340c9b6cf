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
import io.catchment.controlplane.ImageListener;
import io.catchment.objectstore.ObjectStore;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The object store as this cluster's: who may write to it, and the state in it. Immutable. */
final class Bucket implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Bucket.class);
    /** A store that does not answer must not hold up a start: then nothing is written before it has. */
    private static final long FIRST_LOOK_MS = 3_000;

    private static final long HISTORY_LOOK_MS = 200;
    private static final long HISTORY_WARN_MS = 30_000;

    private final BucketOwner owner;
    private final ObjectStore store;
    private final ReapHorizon horizon;
    private final long snapshotMs;
    private final CompletableFuture<Uuid> historyId;
    private final CompletableFuture<Void> firstLook;
    private volatile boolean closed;

    private Bucket(ObjectStore bare, BucketOwner owner, CompletableFuture<Uuid> historyId, long snapshotMs) {
        this.owner = owner;
        this.store = new OwnedStore(bare, owner);
        this.horizon = new SnapshotHorizon(new KeptSnapshots(bare), owner::generation, System::nanoTime);
        this.historyId = historyId;
        this.snapshotMs = snapshotMs;
        this.firstLook = owner.start().toCompletableFuture();
    }

    /** Looks for the first time, in the background. The store and the control plane stay the caller's. */
    static Bucket open(
            ObjectStore bare,
            String clusterId,
            ControlPlane controlPlane,
            NodeConfig.Store settings,
            Readiness readiness) {
        CompletableFuture<Uuid> historyId = historyId(controlPlane);
        BucketOwner owner =
                new BucketOwner(bare, clusterId, historyId, settings.checkMs(), new SerialThread("bucket-owner"));
        readiness.condition("object-store-owner", () -> owner.otherOwner().orElse(""));
        return new Bucket(bare, owner, historyId, settings.snapshotMs());
    }

    private static CompletableFuture<Uuid> historyId(ControlPlane controlPlane) {
        CompletableFuture<Uuid> known = new CompletableFuture<>();
        ImageListener listener = (delta, image) -> image.historyId().ifPresent(known::complete);
        controlPlane.subscribe(listener);
        var unused = known.thenRun(() -> controlPlane.unsubscribe(listener));
        return known;
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

    /**
     * Blocks until it is known which history this is, and whether the bucket is its own if the store answers.
     *
     * @throws IOException when the bucket is another cluster's
     */
    Uuid awaitFirstLook() throws IOException, InterruptedException {
        awaitHistory();
        try {
            firstLook.get(FIRST_LOOK_MS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            Throwable cause = e.getCause() instanceof CompletionException wrapped ? wrapped.getCause() : e.getCause();
            String why = cause == null ? "no answer within " + FIRST_LOOK_MS + " ms" : cause.getMessage();
            if (owner.otherOwner().isEmpty()) {
                log.warn(
                        "Whether the object store is this cluster's is not known yet, nothing is written to it until it is: {}",
                        why);
            } else if (owner.otherHistory().isEmpty()) {
                throw new IOException(why, cause);
            }
        }
        return historyId.join();
    }

    /** Or that the bucket is another cluster's, which a look tells without it. */
    private void awaitHistory() throws IOException, InterruptedException {
        long warned = System.nanoTime();
        while (!historyId.isDone() && owner.otherOwner().isEmpty()) {
            if (closed) {
                throw new IOException("this node ends while it starts");
            }
            if (System.nanoTime() - warned > TimeUnit.MILLISECONDS.toNanos(HISTORY_WARN_MS)) {
                warned = System.nanoTime();
                log.warn("The controllers do not answer yet: the state of the cluster is not known");
            }
            try {
                historyId.get(HISTORY_LOOK_MS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException notYet) {
                log.trace("The state of the cluster is not known yet");
            } catch (ExecutionException e) {
                throw new IllegalStateException("what is only ever completed has failed", e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        owner.close();
    }
}
