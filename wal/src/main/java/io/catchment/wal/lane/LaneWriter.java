package io.catchment.wal.lane;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Admission;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Frame;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.WalListener;
import io.catchment.wal.WalStats.LaneStats;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.lane.AppendQueue.RollRequest;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica.Appended;
import io.catchment.wal.replica.Replicas;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lane's state machine. Owned by its loop, except the queue, which anyone may append to.
 *
 * <p>At most one group is in flight; what queues meanwhile is the next group. A group is acknowledged when the A-th largest
 * durable length covers it.
 *
 * <p>When a replica fails, the extent is abandoned: its final length is the acknowledged one, frames written beyond are
 * void and go, in order and before anything newer, into the next extent. They do so only after the control plane has
 * recorded the final length. Otherwise a crash could leave the same offsets in two extents: the old one's tail may well be
 * on disk, and recovery would take it for valid.
 *
 * <p>While the quorum is lost nothing new is accepted; what was accepted is never failed, it waits.
 */
public final class LaneWriter {
    private static final Logger LOG = LoggerFactory.getLogger(LaneWriter.class);

    private enum Phase {
        /** Writing, or ready to. */
        RUNNING,
        /** Waiting for the control plane to record where the abandoned extent ends. */
        ABANDONING,
        /** For ever. */
        CLOSED
    }

    private final Lane lane;
    private final LaneConfig config;
    private final Loop loop;
    private final WalListener listener;
    private final StoreRef localStore;
    private final Supplier<Checksum> checksums;
    private final AppendQueue queue;
    private final AppendQueue.Batch batch = new AppendQueue.Batch();
    private final ExtentOpener opener;
    private final ExtentSealer sealer;
    private final LaneCounters counters = new LaneCounters();
    private final Deque<EncodedGroup> freeGroups = new ArrayDeque<>();

    /** Frames that are void in an abandoned extent, to be appended again before everything queued. */
    private final Deque<Acknowledged> replay = new ArrayDeque<>();

    private Phase phase = Phase.RUNNING;
    private boolean suspended;
    private @Nullable OpenExtent open;
    private @Nullable OpenExtent next;
    private @Nullable EncodedGroup inFlight;
    private boolean rollWanted;
    private @Nullable CompletableFuture<Void> closing;
    /** Groups that some replica still works on. */
    private int groupsOut;
    /** Completes once the lane is closed and no replica reads its payloads any more. */
    private final CompletableFuture<Void> idle = new CompletableFuture<>();

    /** @param localStore whose sync times are reported */
    public LaneWriter(
            Lane lane,
            LaneConfig config,
            Loop loop,
            ExtentRegistry registry,
            Replicas replicas,
            StoreRef localStore,
            WalListener listener,
            Supplier<Checksum> checksums,
            RandomGenerator random) {
        this.lane = lane;
        this.config = config;
        this.loop = loop;
        this.listener = listener;
        this.localStore = localStore;
        this.checksums = checksums;
        this.queue = new AppendQueue(config.queueBytesMax(), () -> loop.execute(this::pump));
        Backoff backoff = new Backoff(config.retryFirstMs(), config.retryLastMs(), random);
        this.opener = new ExtentOpener(lane, registry, replicas, loop, backoff, new OpenerListener());
        this.sealer =
                new ExtentSealer(lane, registry, loop, config, random, listener, this::closeForEver, this::sealerIdle);
    }

    // ---- anyone may call

    public Admission append(Frame frame, @Nullable Object context) {
        if (frame.payload().readableBytes() > FrameFormat.PAYLOAD_BYTES_MAX) {
            throw new IllegalArgumentException("a payload of " + frame.payload().readableBytes()
                    + " bytes is over the limit of " + FrameFormat.PAYLOAD_BYTES_MAX);
        }
        return queue.offer(frame, context);
    }

    public boolean accepting() {
        return queue.accepting();
    }

    public void roll(long extentId) {
        queue.offerRoll(extentId);
    }

    public LaneStats stats() {
        return counters.stats(queue.accepting(), queue.bytes());
    }

    /** Writes what is queued, seals, and closes; after the timeout it closes with what is not acknowledged left behind. */
    public CompletionStage<Void> shutdown(long timeoutMs) {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        queue.close();
        loop.execute(() -> {
            if (phase == Phase.CLOSED) {
                closed.complete(null);
                return;
            }
            closing = closed;
            loop.schedule(timeoutMs, () -> {
                if (phase != Phase.CLOSED) {
                    LOG.warn("The {} lane closes with work left after {} ms", lane, timeoutMs);
                    close();
                }
            });
            pump();
        });
        return closed;
    }

    // ---- the lane's loop

    private void pump() {
        while (phase == Phase.RUNNING && inFlight == null) {
            if (!anythingToDo()) {
                sealForShutdown();
                return;
            }
            OpenExtent extent = ensureOpen();
            if (extent == null) {
                return;
            }
            if (suspended && replay.isEmpty()) {
                resume();
            }
            if (rollWanted && rolled(extent)) {
                continue;
            }
            EncodedGroup group = fill(extent);
            if (group != null) {
                send(extent, group);
            } else if (!rollWanted || next == null) {
                if (rollWanted) {
                    // Maybe no room for the next frame: it waits for the next extent.
                    opener.start();
                }
                sealForShutdownIfDrained();
                return;
            }
        }
    }

    private boolean anythingToDo() {
        if (open != null || suspended || !replay.isEmpty()) {
            return true;
        }
        while (!batch.isEmpty() || queue.drain(batch, true)) {
            if (batch.item() instanceof Frame) {
                return true;
            }
            // Without an open extent there is nothing to roll.
            batch.advance();
        }
        return false;
    }

    private @Nullable OpenExtent ensureOpen() {
        if (open == null && next != null) {
            open = next;
            next = null;
            rollWanted = false;
        }
        if (open == null) {
            opener.start();
        }
        return open;
    }

    /** Ends the extent if the next one is there; else asks for it and lets the extent grow meanwhile. */
    private boolean rolled(OpenExtent extent) {
        if (extent.isEmpty()) {
            rollWanted = false;
            return false;
        }
        if (next == null) {
            opener.start();
            return false;
        }
        rollWanted = false;
        sealer.seal(extent, extent.position, true, () -> {});
        open = null;
        return true;
    }

    /** The next group, or null when there is nothing to write or no room in the extent. */
    private @Nullable EncodedGroup fill(OpenExtent extent) {
        long limit =
                next != null ? config.hardBytes() : opener.failing() ? config.growthBytesMax() : config.waitBytes();
        EncodedGroup group = freeGroups.isEmpty() ? new EncodedGroup(checksums.get()) : freeGroups.pop();
        group.begin(extent.id(), extent.descriptor.writerEpoch(), extent.position);
        while (group.bytes() < config.groupBytesMax()) {
            if (replay.isEmpty() && batch.isEmpty() && !queue.drain(batch, group.isEmpty())) {
                break;
            }
            boolean again = !replay.isEmpty();
            Object item = again ? replay.getFirst().frame() : batch.item();
            if (item instanceof RollRequest request) {
                batch.advance();
                if (request.extentId() == extent.id()) {
                    rollWanted = true;
                    break;
                }
                continue;
            }
            Frame frame = (Frame) item;
            boolean extentHasFrames = !extent.isEmpty() || !group.isEmpty();
            long end =
                    group.endPosition() + FrameFormat.frameBytes(frame.payload().readableBytes());
            if (end > limit && extentHasFrames) {
                // A frame that no extent has room for gets one of its own.
                rollWanted = true;
                break;
            }
            if (!group.add(frame, again ? replay.getFirst().context() : batch.context())) {
                break;
            }
            if (again) {
                replay.removeFirst();
            } else {
                batch.advance();
            }
        }
        if (group.isEmpty()) {
            freeGroups.push(group);
            return null;
        }
        group.end();
        return group;
    }

    private void send(OpenExtent extent, EncodedGroup group) {
        inFlight = group;
        groupsOut++;
        if (extent.isEmpty()) {
            extent.ageTimer = loop.schedule(config.rollMs(), () -> rollDue(extent));
        }
        extent.position = group.endPosition();
        group.answersPending = extent.replicas.size();
        for (int i = 0; i < extent.replicas.size(); i++) {
            int replica = i;
            Failures.stage(() -> extent.replicas.get(replica).append(group))
                    .whenComplete(
                            (answer, failure) -> loop.execute(() -> answered(extent, group, replica, answer, failure)));
        }
    }

    private void answered(
            OpenExtent extent,
            EncodedGroup group,
            int replica,
            @Nullable Appended answer,
            @Nullable Throwable failure) {
        group.answersPending--;
        if (answer != null) {
            extent.tracker.update(replica, answer.durableLength());
            synced(extent, group, replica, answer);
        } else if (failure != null) {
            Throwable cause = Failures.root(failure);
            extent.replicaFailed(replica, "writing extent " + extent.id() + " failed: " + Failures.text(cause));
            if (Failures.fenced(cause)) {
                closeForEver(extent.failure());
            }
        }
        if (phase == Phase.CLOSED) {
            retire(group);
            return;
        }
        if (group == inFlight && extent.tracker.acknowledged() >= group.endPosition()) {
            acknowledge(extent, group);
        }
        if (extent == open && extent.anyFailed() && (inFlight == null || extent.quorumLost())) {
            abandon(extent, extent.failure());
        }
        retire(group);
        pump();
    }

    private void synced(OpenExtent extent, EncodedGroup group, int replica, Appended answer) {
        if (extent.replicas.get(replica).store().equals(localStore)) {
            counters.synced(answer.syncNanos());
            tell(() ->
                    listener.groupSynced(lane, group.frames(), group.bytes(), answer.writeNanos(), answer.syncNanos()));
        }
    }

    private void acknowledge(OpenExtent extent, EncodedGroup group) {
        inFlight = null;
        extent.replicas.forEach(replica -> replica.acknowledged(extent.id(), group.endPosition()));
        List<Acknowledged> acknowledged = group.acknowledgements();
        counters.acknowledged(acknowledged.size(), group.bytes());
        tell(() -> listener.acknowledged(lane, acknowledged));
        queue.acknowledged(group.bytes());
        group.done = true;
        opener.proven();
        if (extent.position >= config.extentBytes()) {
            rollDue(extent);
        } else if (extent.position >= config.extentBytes() / 2 && next == null) {
            opener.start();
        }
    }

    /** Lets go of a group once it is decided and no replica works on it any more. */
    private void retire(EncodedGroup group) {
        if (group.answersPending > 0 || group == inFlight) {
            return;
        }
        if (group.done) {
            group.releasePayloads();
        }
        group.done = false;
        group.clear();
        freeGroups.push(group);
        if (--groupsOut == 0 && phase == Phase.CLOSED) {
            idle.complete(null);
        }
    }

    private void rollDue(OpenExtent extent) {
        if (extent != open || extent.rollDueTold || extent.isEmpty()) {
            return;
        }
        extent.rollDueTold = true;
        if (next == null) {
            opener.start();
        }
        extent.rollTimer = loop.schedule(config.rollTimeoutMs(), () -> {
            if (extent == open) {
                rollWanted = true;
                pump();
            }
        });
        tell(() -> listener.rollDue(lane, extent.id()));
    }

    // ---- faults

    private void abandon(OpenExtent extent, String reason) {
        phase = Phase.ABANDONING;
        open = null;
        rollWanted = false;
        EncodedGroup undecided = inFlight;
        if (undecided != null) {
            inFlight = null;
            takeBack(undecided);
        }
        opener.brokenBefore();
        if (extent.quorumLost()) {
            suspend(reason);
            if (next != null) {
                opener.takeBack(next.descriptor);
                next = null;
            }
        }
        LOG.warn("The {} lane leaves extent {} at {}: {}", lane, extent.id(), extent.tracker.acknowledged(), reason);
        sealer.seal(extent, extent.tracker.acknowledged(), false, () -> {
            phase = Phase.RUNNING;
            pump();
        });
    }

    private void takeBack(EncodedGroup undecided) {
        if (undecided.answersPending > 0) {
            // A slow replica still reads these payloads, maybe longer than the next extent needs them.
            undecided.retainPayloads();
            undecided.done = true;
        }
        List<Acknowledged> frames = undecided.acknowledgements();
        for (int i = frames.size() - 1; i >= 0; i--) {
            replay.addFirst(frames.get(i));
        }
    }

    private void suspend(String reason) {
        queue.suspend();
        counters.fault(reason);
        if (!suspended) {
            suspended = true;
            LOG.warn("The {} lane accepts nothing for now: {}", lane, reason);
            tell(() -> listener.laneState(lane, false, reason));
        }
    }

    private void resume() {
        suspended = false;
        queue.resume();
        counters.fault("");
        LOG.info("The {} lane accepts again", lane);
        tell(() -> listener.laneState(lane, true, ""));
    }

    private void closeForEver(String reason) {
        if (phase != Phase.CLOSED) {
            LOG.warn("The {} lane is closed for ever: {}", lane, reason);
            counters.fault(reason);
            close();
            tell(() -> listener.laneState(lane, false, reason));
        }
    }

    // ---- the end

    /** Drops what is queued and unacknowledged; completes when no payload is used any more. */
    public CompletionStage<Void> closeNow() {
        queue.close();
        loop.execute(() -> {
            if (phase != Phase.CLOSED) {
                close();
            }
        });
        return idle;
    }

    /** After a broken invariant: nothing this lane believes can be trusted any more. */
    public void fail(String reason) {
        loop.execute(() -> closeForEver(reason));
    }

    private void sealForShutdownIfDrained() {
        if (closing != null && replay.isEmpty() && batch.isEmpty() && !queue.drain(batch, true)) {
            sealForShutdown();
        }
    }

    private void sealForShutdown() {
        if (closing == null || phase != Phase.RUNNING) {
            return;
        }
        sealAtEnd(open);
        sealAtEnd(next);
        open = null;
        next = null;
        if (opener.leftOver() != null) {
            sealAtEnd(new OpenExtent(opener.leftOver(), List.of()));
            opener.forget();
        }
        if (sealer.isIdle()) {
            close();
        }
    }

    private void sealAtEnd(@Nullable OpenExtent extent) {
        if (extent != null) {
            boolean used = !extent.isEmpty();
            sealer.seal(extent, used ? extent.position : 0, used, () -> {});
        }
    }

    private void sealerIdle() {
        if (closing != null && open == null && phase == Phase.RUNNING) {
            pump();
        }
    }

    private void close() {
        phase = Phase.CLOSED;
        queue.close();
        sealer.stop();
        cancelTimers(open);
        releaseAccepted();
        CompletableFuture<Void> waiting = closing;
        if (waiting != null) {
            waiting.complete(null);
        }
        if (groupsOut == 0) {
            idle.complete(null);
        }
    }

    private static void cancelTimers(@Nullable OpenExtent extent) {
        if (extent != null) {
            extent.cancelTimers();
        }
    }

    private void releaseAccepted() {
        EncodedGroup undecided = inFlight;
        if (undecided != null) {
            undecided.done = true;
            inFlight = null;
        }
        replay.forEach(frame -> frame.frame().payload().release());
        replay.clear();
        while (!batch.isEmpty() || queue.drain(batch, true)) {
            if (batch.item() instanceof Frame frame) {
                frame.payload().release();
            }
            batch.advance();
        }
    }

    /** A listener that throws is a broken user; the lane's own state must not suffer from it. */
    private void tell(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException broken) {
            LOG.error("The WAL's listener failed on the {} lane", lane, broken);
        }
    }

    private final class OpenerListener implements ExtentOpener.Listener {
        @Override
        public void ready(OpenExtent extent) {
            next = extent;
            pump();
        }

        @Override
        public void failed(String reason) {
            if (open == null && phase != Phase.CLOSED) {
                suspend(reason);
            } else {
                LOG.debug("The {} lane has no next extent yet: {}", lane, reason);
            }
            // The open extent may grow further now.
            pump();
        }

        @Override
        public void fenced(String reason) {
            closeForEver(reason);
        }
    }
}
