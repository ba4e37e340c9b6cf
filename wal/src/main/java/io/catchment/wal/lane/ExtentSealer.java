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
        List<CompletionStage<Void>> footers = job.extent.replicas.stream()
                .filter(replica -> !replica.failed())
                .map(replica -> Failures.stage(() -> replica.replica.finish(job.extent.id(), job.length)))
                .toList();
        Failures.whenAll(footers, loop, failure -> {
            if (failure != null) {
                LOG.warn("Extent {} gets no index footer: {}", job.extent.id(), Failures.text(Failures.root(failure)));
            }
            record(job, newBackoff());
        });
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
     * store tried. Stores that do not have all of it forget it: what they lack is not worth keeping the rest.
     */
    private void settle(Job job) {
        CompletableFuture<Void> announced = new CompletableFuture<>();
        boolean local = false;
        for (int i = 0; i < job.extent.replicas.size(); i++) {
            Replica replica = job.extent.replicas.get(i).replica;
            if (!job.extent.holds(i, job.length)) {
                var unused = Failures.stage(() -> replica.discard(job.extent.id()));
            } else if (replica.store().equals(localStore)) {
                local = true;
                settleOn(replica, job, newBackoff(), 1, announced);
            } else {
                settleOn(replica, job, newBackoff(), 1, new CompletableFuture<>());
            }
        }
        if (!local) {
            announced.complete(null);
        }
        Failures.whenAll(List.of(announced), loop, failure -> finished(job));
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
                && (replica.store().equals(localStore) || attempt < SETTLE_ATTEMPTS_MAX);
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
