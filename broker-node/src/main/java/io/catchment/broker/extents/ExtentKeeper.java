package io.catchment.broker.extents;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.read.StreamExtents;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.objectstore.ObjectStore;
import io.catchment.wal.node.LocalWal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by its loop. Keeps this node's store in step with the cluster in one node epoch: what was sealed is settled, what is of no use is deleted
 * ({@link LocalCopies}), what was given to this node is recovered ({@link Recoveries}) or copied ({@link Repairs}), what nobody writes is sealed
 * ({@link StrayExtents}), and what is lost is named ({@link LostExtents}). Nothing is kept that a crash could lose: each look compares the image with the store, after every change of extents
 * and once a second.
 */
public final class ExtentKeeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentKeeper.class);
    private static final long TICK_MS = 1_000;

    private final ControlPlane controlPlane;
    private final SerialLoop loop;
    private final int nodeId;
    private final long nodeEpoch;
    private final LocalCopies copies;
    private final Recoveries recoveries;
    private final Repairs repairs;
    private final StrayExtents strays;
    private final LostExtents lost;

    private final CompletableFuture<List<String>> ready = new CompletableFuture<>();
    private final AtomicBoolean lookQueued = new AtomicBoolean();
    private long startedNanos;
    private volatile Set<Long> workedOn = Set.of();
    private volatile List<String> obstacles = List.of();
    private volatile boolean closed;

    /**
     * Idle until {@link #start}.
     *
     * @param extents asked for what others have of streams that lost something
     * @param objects where the offsets of what is given up are filled
     * @param registry the WAL's
     * @param nodeEpoch in which the node is registered; the registry must know it too ({@link WalControl#registered})
     * @param acceptLoss what no store can give back any more may be given up
     * @param loop for this keeper alone; it stays the caller's
     */
    public ExtentKeeper(
            LocalWal wal,
            WalControl registry,
            StreamExtents extents,
            ObjectStore objects,
            ControlPlane controlPlane,
            int nodeId,
            long nodeEpoch,
            boolean acceptLoss,
            SerialLoop loop,
            RandomGenerator random) {
        this(
                LocalStore.of(wal),
                registry,
                FramesElsewhere.of(extents),
                objects,
                controlPlane,
                nodeId,
                nodeEpoch,
                acceptLoss,
                loop,
                random);
    }

    ExtentKeeper(
            LocalStore store,
            WalControl registry,
            FramesElsewhere elsewhere,
            ObjectStore objects,
            ControlPlane controlPlane,
            int nodeId,
            long nodeEpoch,
            boolean acceptLoss,
            SerialLoop loop,
            RandomGenerator random) {
        this.controlPlane = controlPlane;
        this.loop = loop;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        Runnable look = this::lookSoon;
        this.repairs = new Repairs(store, controlPlane, loop, random, nodeId, nodeEpoch, look);
        this.recoveries = new Recoveries(store, controlPlane, loop, random, nodeId, nodeEpoch, acceptLoss, look);
        this.strays = new StrayExtents(store, registry, controlPlane, loop, random, look);
        this.copies = new LocalCopies(store, controlPlane, loop, random, repairs, look);
        LostOffsets offsets = new LostOffsets(
                new LostHoles(store, elsewhere, loop::execute),
                controlPlane,
                objects,
                loop::wallClockMs,
                nodeId,
                nodeEpoch,
                Command.PublishFlush.ENTRIES_MAX);
        this.lost = new LostExtents(store, loop, random, repairs, offsets, nodeId, acceptLoss, look);
    }

    public void start() {
        startedNanos = loop.nanoTime();
        copies.begin();
        controlPlane.subscribe((delta, image) -> {
            if (delta.nodesChanged()) {
                loop.execute(() -> {
                    recoveries.retryNow();
                    repairs.retryNow();
                });
                lookSoon();
            } else if (!delta.extents().isEmpty()) {
                lookSoon();
            }
        });
        loop.execute(this::tick);
    }

    /**
     * Completes when every local extent of an earlier run is settled or deleted (or that is impossible for now), and every extent of this node's
     * earlier epochs that it is to recover is sealed or known to wait; with what stands in the way then.
     */
    public CompletionStage<List<String>> ready() {
        return ready.minimalCompletionStage();
    }

    /** Extents under recovery or repair, for the heartbeats. From any thread. */
    public Set<Long> workedOn() {
        return workedOn;
    }

    /** Data that was acknowledged and cannot be had now, for people; empty if there is none. From any thread. */
    public List<String> obstacles() {
        return obstacles;
    }

    /** No new step is begun; what is under way ends by itself. */
    @Override
    public void close() {
        closed = true;
        workedOn = Set.of();
    }

    private void tick() {
        if (!closed) {
            // Before the work: whatever a look runs into, there is a next one.
            loop.schedule(this::tick, TICK_MS);
            look();
        }
    }

    private void lookSoon() {
        if (!closed && lookQueued.compareAndSet(false, true)) {
            loop.execute(() -> {
                lookQueued.set(false);
                look();
            });
        }
    }

    private void look() {
        if (closed) {
            return;
        }
        // Those that may touch a copy first, so that nobody deletes it under their hands.
        ClusterImage image = controlPlane.image();
        repairs.look(image);
        recoveries.look(image);
        strays.look();
        copies.look();
        lost.look(image);
        publish();
    }

    private void publish() {
        Set<Long> working = new HashSet<>();
        recoveries.addWorkedOn(working);
        repairs.addWorkedOn(working);
        List<String> inTheWay = new ArrayList<>(recoveries.obstacles());
        inTheWay.addAll(lost.obstacles());
        if (!inTheWay.equals(obstacles)) {
            obstacles = List.copyOf(inTheWay);
        }
        if (!closed) {
            workedOn = Set.copyOf(working);
        }
        if (!ready.isDone() && copies.isInStep() && lost.isSettled() && ownPastIsDecided()) {
            LOG.info(
                    "The local store is in step with the cluster after {} ms, {} extents cannot be had",
                    TimeUnit.NANOSECONDS.toMillis(loop.nanoTime() - startedNanos),
                    obstacles.size());
            ready.complete(obstacles);
        }
    }

    /** What other nodes recover is theirs to wait for. */
    private boolean ownPastIsDecided() {
        return controlPlane.image().extents().stream()
                .filter(extent -> extent.phase() == ExtentState.Phase.RECOVERING)
                .filter(extent -> extent.writerNodeId() == nodeId && extent.writerEpoch() < nodeEpoch)
                .filter(recoveries::isToDo)
                .noneMatch(extent -> !recoveries.isWaiting(extent.extentId()));
    }
}
