package io.catchment.wal.lane;

import io.catchment.wal.Admission;
import io.catchment.wal.Authority;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Frame;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.WalListener;
import io.catchment.wal.WalStats.LaneStats;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica.Appended;
import io.catchment.wal.replica.Replicas;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lane's state machine. Owned by its loop, except the queue, which anyone may append to.
 *
 * <p>At most one group is not acknowledged; what queues meanwhile is the next group. A group is acknowledged when the A-th
 * largest durable length covers it; slower replicas may owe answers to older groups, up to a bound in time and memory.
 *
 * <p>A replica that fails or is too slow gets no more of the extent. While a quorum is left the lane goes on, and moves to a
 * whole ensemble as soon as it has one. Without a quorum the extent is abandoned: its final length is the acknowledged one,
 * frames written beyond are void and go, in order and before anything newer, into the next extent. They do so only after
 * the control plane has recorded the final length. Otherwise a crash could leave the same offsets in two extents: the old
 * one's tail may well be on disk, and recovery would take it for valid.
 *
 * <p>What was accepted is never failed, it waits.
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
    private final StoreRef localStore;
    private final LongSupplier nanoTime;
    private final AppendQueue queue;
    private final GroupFiller filler;
    private final LaneVoice voice;
    private final AvoidedStores avoided;
    private final ExtentOpener opener;
    private final ExtentSealer sealer;
    private final QuorumWatch watch;
    private final LaneCounters counters = new LaneCounters();

    private Phase phase = Phase.RUNNING;
    private @Nullable OpenExtent open;
    private @Nullable OpenExtent next;
    private @Nullable EncodedGroup inFlight;
    private boolean rollWanted;
    /** Whether the last extent lay on several stores. */
    private boolean replicated;
    /** An extent with fewer stores lacks members; 0 while nobody said. */
    private int copiesWanted;
    /** So does one on a store that is about to go. */
    private Set<StoreRef> leaving = Set.of();
    /** What the opener is about to bring was asked for before {@link #storesChanged}. */
    private boolean askedBefore;

    private @Nullable CompletableFuture<Void> closing;
    /** Groups that some replica still works on. */
    private int groupsOut;
    /** Completes once the lane is closed and no replica reads its payloads any more. */
    private final CompletableFuture<Void> idle = new CompletableFuture<>();

    /**
     * @param localStore whose sync times are reported
     * @param nanoTime monotonic
     */
    public LaneWriter(
            Lane lane,
            LaneConfig config,
            Loop loop,
            ExtentRegistry registry,
            Replicas replicas,
            StoreRef localStore,
            WalListener listener,
            Supplier<Checksum> checksums,
            LongSupplier nanoTime,
            RandomGenerator random) {
        this.lane = lane;
        this.config = config;
        this.loop = loop;
        this.localStore = localStore;
        this.nanoTime = nanoTime;
        this.queue = new AppendQueue(config.queueBytesMax(), () -> loop.execute(this::pump));
        this.filler = new GroupFiller(queue, config.groupBytesMax(), checksums);
        this.voice = new LaneVoice(lane, listener, queue, counters, loop);
        QuorumConfig quorum = config.quorum();
        this.avoided = new AvoidedStores(nanoTime, quorum.avoidMs());
        Backoff backoff = new Backoff(config.retryFirstMs(), config.retryLastMs(), random);
        this.opener = new ExtentOpener(
                lane, localStore, quorum, registry, replicas, loop, backoff, avoided, new OpenerListener());
        this.sealer = new ExtentSealer(
                lane, localStore, registry, loop, config, random, listener, this::fenced, this::sealerIdle);
        Backoff renewals = new Backoff(quorum.renewFirstMs(), quorum.renewLastMs(), random);
        this.watch = new QuorumWatch(quorum, loop, nanoTime, renewals, new WatchActions());
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

    /** See {@link io.catchment.wal.node.LocalWal#storesChanged}. */
    public void storesChanged(int copies, Set<StoreRef> fresh, Set<StoreRef> going) {
        loop.execute(() -> {
            avoided.forget(fresh);
            copiesWanted = copies;
            leaving = going;
            askedBefore = opener.underWay();
            OpenExtent ready = next;
            if (open == null && ready != null && isPoor(ready) && phase == Phase.RUNNING) {
                next = null;
                giveUp(ready);
            }
            renew();
            pump();
        });
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
            if (open == null && !voice.troubled() && !filler.frameWaits()) {
                sealForShutdown();
                return;
            }
            OpenExtent extent = ensureOpen();
            if (extent == null) {
                return;
            }
            if (voice.troubled() && !filler.replaying()) {
                voice.resume();
            }
            if (rollWanted && rolled(extent)) {
                continue;
            }
            EncodedGroup group = filler.fill(extent, lengthLimit());
            rollWanted |= filler.rollWanted();
            if (group != null) {
                send(extent, group);
            } else if (!rollWanted || next == null) {
                if (rollWanted) {
                    // Maybe no room for the next frame: it waits for the next extent.
                    opener.start();
                }
                if (closing != null && filler.drained()) {
                    sealForShutdown();
                }
                return;
            }
        }
    }

    private @Nullable OpenExtent ensureOpen() {
        if (open == null && next != null) {
            open = next;
            next = null;
            rollWanted = false;
            watch.opened(open);
            renew();
        }
        if (open == null) {
            opener.start();
        }
        return open;
    }

    private long lengthLimit() {
        return next != null ? config.hardBytes() : opener.failing() ? config.growthBytesMax() : config.waitBytes();
    }

    /** Ends the extent if the next one is there; else asks for it and lets the extent grow meanwhile. */
    private boolean rolled(OpenExtent extent) {
        if (!extent.holdsFrames && !lacksMembers(extent)) {
            rollWanted = false;
            return false;
        }
        if (next == null) {
            opener.start();
            return false;
        }
        rollWanted = false;
        if (extent.holdsFrames) {
            sealer.seal(extent, extent.position, true, () -> {});
        } else {
            giveUp(extent);
        }
        open = null;
        return true;
    }

    private void send(OpenExtent extent, EncodedGroup group) {
        inFlight = group;
        groupsOut++;
        group.sentNanos = nanoTime.getAsLong();
        if (!extent.holdsFrames && !group.noop) {
            extent.holdsFrames = true;
            extent.ageTimer = loop.schedule(config.rollMs(), () -> rollDue(extent));
        }
        extent.position = group.endPosition();
        for (int i = 0; i < extent.replicas.size(); i++) {
            ReplicaCursor cursor = extent.replicas.get(i);
            if (!cursor.failed() && watch.tooMuchWaitsFor(cursor)) {
                leaveBehind(extent, i, cursor.store() + " is " + cursor.lagBytes() + " bytes behind");
            }
            if (!cursor.failed()) {
                int replica = i;
                cursor.sent(group);
                group.answersPending++;
                Failures.stage(() -> cursor.replica.append(group))
                        .whenComplete((answer, failure) ->
                                loop.execute(() -> answered(extent, group, replica, answer, failure)));
            }
        }
        watch.sent();
        if (extent.quorumLost()) {
            replicaGone(extent);
            retire(group);
        }
    }

    private void answered(
            OpenExtent extent,
            EncodedGroup group,
            int replica,
            @Nullable Appended answer,
            @Nullable Throwable failure) {
        ReplicaCursor cursor = extent.replicas.get(replica);
        cursor.answered(group);
        group.answersPending--;
        if (answer != null) {
            extent.tracker.update(replica, answer.durableLength());
            if (cursor.store().equals(localStore)) {
                voice.synced(group, answer.writeNanos(), answer.syncNanos());
            }
        } else if (failure != null) {
            Throwable cause = Failures.root(failure);
            leaveBehind(extent, replica, "writing extent " + extent.id() + " failed: " + Failures.text(cause));
            if (Failures.fenced(cause)) {
                fenced(extent.failure());
            }
        }
        extent.drainedMaybe();
        if (phase == Phase.CLOSED) {
            retire(group);
            return;
        }
        if (group == inFlight && extent.tracker.acknowledged() >= group.endPosition()) {
            acknowledge(extent, group);
        }
        if (failure != null) {
            replicaGone(extent);
        }
        retire(group);
        pump();
    }

    private void acknowledge(OpenExtent extent, EncodedGroup group) {
        inFlight = null;
        for (ReplicaCursor replica : extent.replicas) {
            if (!replica.failed()) {
                replica.replica.acknowledged(extent.id(), group.endPosition());
            }
        }
        group.done = true;
        voice.acknowledged(group);
        if (extent.replicated()) {
            voice.authority(Authority.HELD, "");
        }
        opener.proven();
        if (!lacksMembers(extent)) {
            watch.whole();
        }
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
        filler.free(group);
        if (--groupsOut == 0 && phase == Phase.CLOSED) {
            idle.complete(null);
        }
    }

    private void rollDue(OpenExtent extent) {
        if (extent != open || extent.rollDueTold || !extent.holdsFrames) {
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
        voice.rollDue(extent.id());
    }

    // ---- faults

    private void leaveBehind(OpenExtent extent, int replica, String reason) {
        ReplicaCursor cursor = extent.replicas.get(replica);
        if (!cursor.failed()) {
            LOG.warn("Extent {} of the {} lane goes on without {}: {}", extent.id(), lane, cursor.store(), reason);
            avoided.add(cursor.store());
            extent.replicaFailed(replica, reason);
        }
    }

    /** Goes on with the rest, or elsewhere. */
    private void replicaGone(OpenExtent extent) {
        if (extent != open || phase != Phase.RUNNING) {
            return;
        }
        if (extent.quorumLost()) {
            abandon(extent, extent.failure());
        } else {
            renew();
        }
    }

    private boolean lacksMembers(OpenExtent extent) {
        return extent.anyFailed() || isMisplaced(extent);
    }

    /** There are stores that would make a better ensemble. */
    private boolean isMisplaced(OpenExtent extent) {
        List<StoreRef> ensemble = extent.descriptor.ensemble();
        return ensemble.size() < copiesWanted || ensemble.stream().anyMatch(leaving::contains);
    }

    /** Not worth a move: it would lack members again. */
    private boolean isPoor(OpenExtent extent) {
        return avoided.anyOf(extent) || isMisplaced(extent);
    }

    /** Looks for a whole ensemble in place of the one that lacks members, and moves there once it is ready. */
    private void renew() {
        OpenExtent extent = open;
        if (extent == null || !lacksMembers(extent) || phase != Phase.RUNNING || closing != null) {
            return;
        }
        OpenExtent ready = next;
        if (ready != null && isPoor(ready)) {
            next = null;
            giveUp(ready);
            ready = null;
        }
        if (ready == null) {
            opener.start();
        } else if (extent.holdsFrames) {
            rollDue(extent);
        } else {
            rollWanted = true;
        }
    }

    /** An extent that nothing but no-ops was written to is sealed empty. */
    private void giveUp(OpenExtent unused) {
        sealer.seal(unused, 0, false, () -> {});
    }

    private void abandon(OpenExtent extent, String reason) {
        phase = Phase.ABANDONING;
        open = null;
        rollWanted = false;
        EncodedGroup undecided = inFlight;
        if (undecided != null) {
            inFlight = null;
            filler.takeBack(undecided);
        }
        if (!extent.replicated() || extent.tracker.acknowledged() == 0) {
            opener.brokenBefore();
        }
        quorumLost(reason, extent.replicated());
        OpenExtent ready = next;
        if (ready != null && !extent.replicated()) {
            opener.takeBack(ready.descriptor);
            next = null;
        } else if (ready != null && avoided.anyOf(ready)) {
            giveUp(ready);
            next = null;
        }
        LOG.warn("The {} lane leaves extent {} at {}: {}", lane, extent.id(), extent.acknowledgedLength(), reason);
        sealer.seal(extent, extent.acknowledgedLength(), false, () -> {
            phase = Phase.RUNNING;
            pump();
        });
    }

    private void quorumLost(String reason, boolean severalStores) {
        voice.suspend(reason, severalStores ? config.quorum().suspendAfterMs() : 0);
        if (severalStores) {
            voice.authority(Authority.LOST, reason);
        }
    }

    /** This node's epoch is over. */
    private void fenced(String reason) {
        voice.authority(Authority.FENCED, reason);
        closeForEver(reason);
    }

    private void closeForEver(String reason) {
        if (phase != Phase.CLOSED) {
            close();
            voice.closedForEver(reason);
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

    /** After a broken invariant: nothing this lane believes can be trusted any more, so its node is told that its epoch is over. */
    public void fail(String reason) {
        loop.execute(() -> fenced(reason));
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
            boolean used = extent.holdsFrames;
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
        watch.stop();
        voice.cancelSuspending();
        if (open != null) {
            open.cancelTimers();
        }
        EncodedGroup undecided = inFlight;
        if (undecided != null) {
            undecided.done = true;
            inFlight = null;
        }
        filler.releaseAll();
        CompletableFuture<Void> waiting = closing;
        if (waiting != null) {
            waiting.complete(null);
        }
        if (groupsOut == 0) {
            idle.complete(null);
        }
    }

    private final class OpenerListener implements ExtentOpener.Listener {
        @Override
        public void ready(OpenExtent extent) {
            if (phase == Phase.CLOSED) {
                return;
            }
            next = extent;
            replicated = extent.replicated();
            boolean outdated = askedBefore;
            askedBefore = false;
            OpenExtent lacking = open;
            if (lacking != null && lacksMembers(lacking)) {
                if (isPoor(extent) && !outdated) {
                    // No better than what is open: there are no other stores just now.
                    watch.renewLater();
                } else {
                    renew();
                }
            }
            pump();
        }

        @Override
        public void failed(String reason) {
            if (open == null && phase != Phase.CLOSED) {
                quorumLost(reason, replicated);
            } else {
                LOG.debug("The {} lane has no next extent yet: {}", lane, reason);
            }
            // The open extent may grow further now.
            pump();
        }

        @Override
        public boolean waiting() {
            return open == null;
        }

        @Override
        public void unusable(ExtentDescriptor extent) {
            replicated = true;
            giveUp(new OpenExtent(extent, List.of()));
        }

        @Override
        public void fenced(String reason) {
            LaneWriter.this.fenced(reason);
        }
    }

    private final class WatchActions implements QuorumWatch.Actions {
        @Override
        public @Nullable OpenExtent watched() {
            OpenExtent extent = open;
            if (extent == null && phase == Phase.RUNNING && next != null && !voice.troubled()) {
                // Nothing to write, but the lane still wants to know that it may.
                extent = ensureOpen();
            }
            return extent != null && extent.replicated() ? extent : null;
        }

        @Override
        public @Nullable EncodedGroup undecided() {
            return inFlight;
        }

        @Override
        public void replicaTooSlow(OpenExtent extent, int replica, String reason) {
            leaveBehind(extent, replica, reason);
            replicaGone(extent);
        }

        @Override
        public void askQuorum(OpenExtent extent) {
            if (phase == Phase.RUNNING && inFlight == null && extent == open) {
                send(extent, filler.noop(extent, 0));
            }
        }

        @Override
        public void quorumSilent(String reason) {
            voice.authority(Authority.LOST, reason);
        }

        @Override
        public void renew() {
            LaneWriter.this.renew();
        }
    }
}
