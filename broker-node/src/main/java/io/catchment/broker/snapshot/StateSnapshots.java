package io.catchment.broker.snapshot;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.ImageListener;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.archive.StateArchive;
import io.catchment.objectstore.ObjectStore;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by its loop. Writes the state into the bucket, on the node of the active controller: every so often when something has changed,
 * and soon after topics or configurations have. Each begins with a barrier, so it is of what is committed, whatever this node has
 * heard; its name is its offset. Two that take themselves for the active controller's node write two true states under two names, or one
 * under one; each deletes all but the newest few, after its own is complete.
 *
 * <p>While objects wait for their deletion snapshots go on though nothing changes: they can go when no snapshot is older than their end.
 */
public final class StateSnapshots implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StateSnapshots.class);

    static final int KEPT = 3;

    private static final long TICK_MS = 500;
    /** After a change of topics, and between two attempts. */
    private static final long SOON_MS = 2_000;

    private static final int BUFFER_BYTES = 1 << 20;

    private final ControlPlane controlPlane;
    private final ObjectStore store;
    private final KeptSnapshots kept;
    private final LongSupplier generation;
    private final int nodeId;
    private final long intervalMs;
    private final SerialLoop loop;
    private final ImageListener listener = this::changed;
    private volatile boolean topicsChanged;
    private volatile Figures figures = Figures.NONE;
    private volatile boolean closed;
    private boolean underWay;
    private boolean tried;
    private long triedNanos;
    private long writtenOffset = -1;
    /** As of which no object waited for its deletion. */
    private long idleOffset = -1;

    private int failures;

    /**
     * @param writtenNanos monotonic time of the newest one; meaningless if there is none
     * @param bytes of the newest
     */
    public record Figures(long written, long failed, long writtenNanos, long bytes) {
        static final Figures NONE = new Figures(0, 0, 0, 0);
    }

    /**
     * @param store that only the bucket's owner can change
     * @param generation of the ownership; 0 while it is not known
     * @param loop its steps write whole states: a thread of its own, closed with this
     */
    public StateSnapshots(
            ControlPlane controlPlane,
            ObjectStore store,
            LongSupplier generation,
            int nodeId,
            long intervalMs,
            SerialLoop loop) {
        this.controlPlane = controlPlane;
        this.store = store;
        this.kept = new KeptSnapshots(store);
        this.generation = generation;
        this.nodeId = nodeId;
        this.intervalMs = intervalMs;
        this.loop = loop;
    }

    public void start() {
        controlPlane.subscribe(listener);
        loop.execute(this::tick);
    }

    public Figures figures() {
        return figures;
    }

    @Override
    public void close() {
        closed = true;
        controlPlane.unsubscribe(listener);
        loop.close();
    }

    private void changed(ImageDelta delta, ClusterImage image) {
        if (delta.topicsChanged() || delta.configsChanged()) {
            topicsChanged = true;
        }
    }

    private void tick() {
        if (closed) {
            return;
        }
        loop.schedule(this::tick, TICK_MS);
        ClusterImage image = controlPlane.image();
        if (image.controllerId() != nodeId) {
            // Another node writes; when it is this one's turn again, what it knows of the newest is old
            writtenOffset = -1;
            tried = false;
            return;
        }
        if (!underWay && generation.getAsLong() > 0 && StateArchive.isWritable(image) && isDue(image)) {
            write();
        }
    }

    private boolean isDue(ClusterImage image) {
        if (!tried) {
            return true;
        }
        long sinceMs = TimeUnit.NANOSECONDS.toMillis(loop.nanoTime() - triedNanos);
        if (sinceMs >= intervalMs && (image.offset() > writtenOffset || awaitsDeletion(image))) {
            return true;
        }
        return (topicsChanged || failures > 0) && sinceMs >= Math.min(SOON_MS, intervalMs);
    }

    /** Asked of one image once: nothing changes in it, and there may be many objects. */
    private boolean awaitsDeletion(ClusterImage image) {
        if (image.offset() == idleOffset) {
            return false;
        }
        boolean awaits = image.objects().stream().anyMatch(object -> object.phase() == ObjectState.Phase.DOOMED);
        idleOffset = awaits ? -1 : image.offset();
        return awaits;
    }

    private void write() {
        underWay = true;
        tried = true;
        triedNanos = loop.nanoTime();
        topicsChanged = false;
        long owner = generation.getAsLong();
        CompletableFuture<Long> offset = new CompletableFuture<>();
        attempt(owner, offset)
                .whenComplete((bytes, failure) -> loop.execute(() -> {
                    underWay = false;
                    if (failure == null) {
                        succeeded(offset.join(), bytes);
                    } else {
                        failed(failure);
                    }
                }));
    }

    private CompletionStage<Long> attempt(long owner, CompletableFuture<Long> offset) {
        return controlPlane.barrier().thenCompose(reached -> {
            CompletableFuture<ClusterImage> onLoop = new CompletableFuture<>();
            loop.execute(() -> onLoop.complete(controlPlane.image()));
            return onLoop.thenCompose(image -> {
                offset.complete(image.offset());
                ByteBuf body = archive(image, owner);
                long bytes = body.readableBytes();
                return store.put(new SnapshotKey(owner, image.offset()).key(), body)
                        .thenCompose(done -> kept.prune(KEPT))
                        .thenApply(done -> bytes);
            });
        });
    }

    /** In pieces: one large array would be copied again and again while it grows. */
    private static ByteBuf archive(ClusterImage image, long owner) {
        CompositeByteBuf body = Unpooled.compositeBuffer(Integer.MAX_VALUE);
        try (PieceOutput out = new PieceOutput(body, BUFFER_BYTES)) {
            StateArchive.write(image, owner, out);
        } catch (IOException | RuntimeException e) {
            body.release();
            throw e instanceof IOException io ? new UncheckedIOException(io) : (RuntimeException) e;
        }
        return body;
    }

    private void succeeded(long offset, long bytes) {
        failures = 0;
        writtenOffset = Math.max(writtenOffset, offset);
        figures = new Figures(figures.written() + 1, figures.failed(), loop.nanoTime(), bytes);
    }

    private void failed(Throwable failure) {
        failures++;
        figures = new Figures(figures.written(), figures.failed() + 1, figures.writtenNanos(), figures.bytes());
        if (failures == 1 || failures % 20 == 0) {
            LOG.warn(
                    "The state was not written to the object store, attempt {}; a recovery from there would go further back. Trying on: {}",
                    failures,
                    failure.toString());
        }
    }
}
