package io.catchment.wal.lane;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.WalListener;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Seals a lane's extents one after the other, in order: replicas that are a little behind get a moment, then footers on the
 * stores (may fail), final length and holders in the control plane (retried for ever), then the stores cut to it. Owned by
 * the lane's loop. A store that hears nothing of the seal learns of it from the control plane.
 *
 * <p>No store's disk holds this up for ever: another node's answers in time or its connection ends, and this node's own has a
 * limit here. If it stalls before the seal is recorded and enough others have all of it, it is no holder, so that another node
 * flushes the extent; its copy is left to who keeps the store in step with the control plane, once the disk answers again.
 */
final class ExtentSealer {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentSealer.class);

    private record Job(OpenExtent extent, long length, boolean footer, Runnable whenRecorded) {
        /** Who has all of it by now. */
        List<StoreRef> holders() {
            return extent.holders(length);
        }
    }

    /** Another node's store that does not answer is told so often. */
    private static final int SETTLE_ATTEMPTS_MAX = 10;

    private final Lane lane;
    private final StoreRef localStore;
    private final ExtentRegistry registry;
    private final Loop loop;
    private final LaneConfig config;
    private final RandomGenerator random;
    private final WalListener listener;
    private final Consumer<String> fenced;
    private final Runnable whenIdle;
    private final Deque<Job> jobs = new ArrayDeque<>();
    private boolean stopped;

    ExtentSealer(
            Lane lane,
            StoreRef localStore,
            ExtentRegistry registry,
            Loop loop,
            LaneConfig config,
            RandomGenerator random,
            WalListener listener,
            Consumer<String> fenced,
            Runnable whenIdle) {
        this.lane = lane;
        this.localStore = localStore;
        this.registry = registry;
        this.loop = loop;
        this.config = config;
        this.random = random;
        this.listener = listener;
        this.fenced = fenced;
        this.whenIdle = whenIdle;
    }

    /**
     * @param footer whether the stores are worth asking for an index footer first
     * @param whenRecorded runs once the control plane has the length: from then on what lay beyond is void and may be
     *     appended elsewhere, not before (else a crash in between could bring it back twice)
     */
    void seal(OpenExtent extent, long length, boolean footer, Runnable whenRecorded) {
        extent.cancelTimers();
        jobs.add(new Job(extent, length, footer, whenRecorded));
        if (jobs.size() == 1) {
            startFirst();
        }
    }

    boolean isIdle() {
        return jobs.isEmpty();
    }

    void stop() {
        stopped = true;
        jobs.clear();
    }

    private void startFirst() {
        Job job = jobs.getFirst();
        if (!job.footer) {
            record(job, newBackoff());
            return;
        }
        Loop.Timer patience = loop.schedule(config.quorum().lagMsMax(), job.extent::stopWaiting);
        job.extent.onceDrained(() -> {
            patience.cancel();
            writeFooters(job);
        });
    }

    private void writeFooters(Job job) {
        List<CompletionStage<Void>> footers = new ArrayList<>();
        for (int i = 0; i < job.extent.replicas.size(); i++) {
            ReplicaCursor cursor = job.extent.replicas.get(i);
            if (!cursor.failed()) {
                int replica = i;
                CompletionStage<Void> footer = Failures.stage(() -> cursor.replica.finish(job.extent.id(), job.length));
                footers.add(isLocal(cursor.replica) ? inTime(footer, () -> localStalls(job, replica)) : footer);
            }
        }
        Failures.whenAll(footers, loop, failure -> {
            if (failure != null) {
                LOG.warn("Extent {} gets no index footer: {}", job.extent.id(), Failures.text(Failures.root(failure)));
            }
            record(job, newBackoff());
        });
    }

    private boolean isLocal(Replica replica) {
        return replica.store().equals(localStore);
    }

    /** The local store's answer, or none after its limit. */
    private CompletionStage<Void> inTime(CompletionStage<Void> local, Runnable whenLate) {
        CompletableFuture<Void> answered = new CompletableFuture<>();
        Loop.Timer limit = loop.schedule(config.quorum().localEndMsMax(), () -> {
            if (!stopped) {
                whenLate.run();
            }
            answered.complete(null);
        });
        local.whenComplete((done, failure) -> loop.execute(() -> {
            limit.cancel();
            if (failure == null) {
                answered.complete(null);
            } else {
                answered.completeExceptionally(failure);
            }
        }));
        return answered;
    }

    /** What it answered is on its disk: without enough others it is a holder all the same. */
    private void localStalls(Job job, int replica) {
        boolean givenUp = job.extent.giveUp(replica, job.length);
        LOG.warn(
                "Extent {} of the {} lane is sealed {}: its disk has not answered for {} ms",
                job.extent.id(),
                lane,
                givenUp ? "without " + localStore : "without an index footer on " + localStore,
                config.quorum().localEndMsMax());
    }

    private void record(Job job, Backoff backoff) {
        if (stopped) {
            return;
        }
        Failures.stage(() -> registry.seal(job.extent.id(), job.length, job.holders()))
                .whenComplete((done, failure) -> loop.execute(() -> recorded(job, backoff, failure)));
    }

    private void recorded(Job job, Backoff backoff, @Nullable Throwable failure) {
        if (stopped) {
            return;
        }
        if (failure == null) {
            job.whenRecorded.run();
            settle(job);
            return;
        }
        Throwable cause = Failures.root(failure);
        if (Failures.fenced(cause)) {
            fenced.accept("sealing extent " + job.extent.id() + " was refused: " + Failures.text(cause));
            return;
        }
        LOG.debug("Sealing extent {} failed, trying again: {}", job.extent.id(), Failures.text(cause));
        loop.schedule(backoff.nextMs(), () -> record(job, backoff));
    }

    /**
     * The stores' own record of the length may wait for their disks; the sealed extent is announced once this node's own
     * store tried, or did not get to it in time. Stores that do not have all of it forget it: what they lack is not worth
     * keeping the rest.
     */
    private void settle(Job job) {
        List<CompletionStage<Void>> announced = new ArrayList<>();
        for (int i = 0; i < job.extent.replicas.size(); i++) {
            Replica replica = job.extent.replicas.get(i).replica;
            CompletableFuture<Void> firstTry = new CompletableFuture<>();
            if (job.extent.holds(i, job.length)) {
                settleOn(replica, job, newBackoff(), 1, firstTry);
                if (isLocal(replica)) {
                    announced.add(inTime(firstTry, () -> settlesLate(job)));
                }
            } else if (!job.extent.isGivenUp(i)) {
                var unused = Failures.stage(() -> replica.discard(job.extent.id()));
            }
        }
        Failures.whenAll(announced, loop, failure -> finished(job));
    }

    private void settlesLate(Job job) {
        LOG.warn(
                "Extent {} of the {} lane is sealed at {} and {} will record it later: its disk has not answered for {} ms",
                job.extent.id(),
                lane,
                job.length,
                localStore,
                config.quorum().localEndMsMax());
    }

    private void settleOn(Replica replica, Job job, Backoff backoff, int attempt, CompletableFuture<Void> firstTry) {
        Failures.stage(() -> replica.settle(job.extent.id(), job.length)).whenComplete((done, failure) -> {
            if (failure != null) {
                loop.execute(() -> settleFailed(replica, job, backoff, attempt, firstTry, failure));
            }
            firstTry.complete(null);
        });
    }

    private void settleFailed(
            Replica replica,
            Job job,
            Backoff backoff,
            int attempt,
            CompletableFuture<Void> firstTry,
            Throwable failure) {
        Throwable cause = Failures.root(failure);
        boolean again = cause instanceof IOException
                && !(cause instanceof CorruptExtentException)
                && (isLocal(replica) || attempt < SETTLE_ATTEMPTS_MAX);
        // A store that is away hears of it when it is back, from the control plane: no reason to say so at each
        // attempt.
        if (attempt == 1 || !again) {
            LOG.info(
                    "Extent {} is sealed at {} but {} could not record it{}: {}",
                    job.extent.id(),
                    job.length,
                    replica.store(),
                    again ? " yet" : "",
                    Failures.text(cause));
        }
        if (again && !stopped) {
            loop.schedule(backoff.nextMs(), () -> settleOn(replica, job, backoff, attempt + 1, firstTry));
        }
    }

    private void finished(Job job) {
        if (stopped) {
            return;
        }
        jobs.removeFirst();
        listener.sealed(lane, job.extent.id(), job.length);
        if (jobs.isEmpty()) {
            whenIdle.run();
        } else {
            startFirst();
        }
    }

    private Backoff newBackoff() {
        return new Backoff(config.retryFirstMs(), config.retryLastMs(), random);
    }
}
