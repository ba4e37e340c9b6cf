package io.catchment.wal.recovery;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.Replicas;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a recovered extent to its ack quorum of holders: original stores get the tail they miss, then other live stores
 * stand in. Owned by the recovery loop. A copy counts once its store has scanned and synced all of it.
 */
final class TailCopy {
    private static final Logger LOG = LoggerFactory.getLogger(TailCopy.class);
    private static final int COPY_BYTES_MAX = 2 << 20;

    /** @param failedSources so many could not be read for it */
    private record Candidate(Replica replica, long length, int failedSources) {}

    /** It was the store to copy from that failed: another one may do. */
    private static final class UnreadableSourceException extends IOException {
        private static final long serialVersionUID = 1L;

        UnreadableSourceException(Throwable cause) {
            super(Failures.text(cause), cause);
        }
    }

    private final ExtentDescriptor extent;
    private final long epoch;
    private final long length;
    private final Loop loop;
    private final Replicas replicas;
    private final ExtentRegistry registry;
    private final List<Replica> sources = new ArrayList<>();
    private final List<StoreRef> holders = new ArrayList<>();
    private final Deque<Candidate> candidates = new ArrayDeque<>();
    private final CompletableFuture<List<StoreRef>> done = new CompletableFuture<>();
    private boolean standInsAsked;

    TailCopy(
            ExtentDescriptor extent,
            long epoch,
            long length,
            List<FenceAnswer> answers,
            Loop loop,
            Replicas replicas,
            ExtentRegistry registry) {
        this.extent = extent;
        this.epoch = epoch;
        this.length = length;
        this.loop = loop;
        this.replicas = replicas;
        this.registry = registry;
        for (FenceAnswer answer : answers) {
            Replica replica = answer.replica();
            if (replica != null && answer.length() == length) {
                holders.add(answer.store());
                sources.add(replica);
            } else if (replica != null && answer.valid()) {
                candidates.add(new Candidate(replica, answer.length(), 0));
            }
        }
    }

    /** Answers who holds all of it in the end, maybe fewer than the ack quorum. */
    CompletableFuture<List<StoreRef>> start() {
        next();
        return done;
    }

    private void next() {
        if (holders.size() >= extent.ackQuorum() || sources.isEmpty()) {
            done.complete(List.copyOf(holders));
            return;
        }
        Candidate candidate = candidates.poll();
        if (candidate != null) {
            copyTo(candidate);
        } else if (!standInsAsked) {
            standInsAsked = true;
            askStandIns();
        } else {
            done.complete(List.copyOf(holders));
        }
    }

    private void copyTo(Candidate candidate) {
        StoreRef store = candidate.replica.store();
        // Any source will do: after a failure the next one is taken
        Replica from = sources.get(0);
        var unused = copy(from, candidate.replica, Math.max(candidate.length, ExtentHeader.BYTES))
                .thenCompose(end -> candidate.replica.fence(RecoveryRun.header(extent), epoch))
                .whenComplete((verified, failure) -> loop.execute(() -> {
                    if (failure == null && verified == length) {
                        holders.add(store);
                        next();
                    } else {
                        LOG.warn(
                                "Copying the tail of extent {} from {} to {} failed: {}",
                                extent.extentId(),
                                from.store(),
                                store,
                                failure == null ? "it verified " + verified : Failures.text(Failures.root(failure)));
                        sources.add(sources.remove(0));
                        if (isTheSources(failure) && candidate.failedSources + 1 < sources.size()) {
                            copyOn(candidate);
                        } else {
                            next();
                        }
                    }
                }));
    }

    private static boolean isTheSources(@Nullable Throwable failure) {
        Throwable at = failure;
        while (at != null && !(at instanceof UnreadableSourceException)) {
            at = at.getCause();
        }
        return at != null;
    }

    /** From another source, and from where the store says that it has come: what was copied stays. */
    private void copyOn(Candidate candidate) {
        Failures.stage(() -> candidate.replica.fence(RecoveryRun.header(extent), epoch))
                .whenComplete((standing, failure) -> loop.execute(() -> {
                    if (standing != null && standing <= length) {
                        candidates.addFirst(new Candidate(candidate.replica, standing, candidate.failedSources + 1));
                    } else {
                        LOG.warn(
                                "The tail of extent {} is not copied to {} any further: {}",
                                extent.extentId(),
                                candidate.replica.store(),
                                failure == null
                                        ? "it has " + standing + " bytes"
                                        : Failures.text(Failures.root(failure)));
                    }
                    next();
                }));
    }

    private CompletableFuture<Long> copy(Replica from, Replica to, long position) {
        if (position >= length) {
            return CompletableFuture.completedFuture(position);
        }
        int bytes = (int) Math.min(COPY_BYTES_MAX, length - position);
        return Failures.stage(() -> from.fetch(extent.extentId(), position, bytes))
                .exceptionallyCompose(
                        failure -> CompletableFuture.failedStage(new UnreadableSourceException(Failures.root(failure))))
                .thenCompose(piece -> {
                    long end = position + piece.remaining();
                    return to.copy(RecoveryRun.header(extent), epoch, position, piece)
                            .thenCompose(copied -> copied == end
                                    ? CompletableFuture.completedStage(copied)
                                    : CompletableFuture.failedStage(
                                            new IOException(to.store() + " ends at " + copied + ", not at " + end)));
                })
                .toCompletableFuture()
                .thenComposeAsync(copied -> copy(from, to, copied), loop);
    }

    private void askStandIns() {
        Failures.stage(() -> registry.standIns(extent))
                .whenComplete((stores, failure) -> loop.execute(() -> {
                    if (stores == null) {
                        LOG.warn("Nobody stands in for lost stores of extent {}: {}", extent.extentId(), failure);
                        next();
                    } else {
                        fenceStandIns(new ArrayDeque<>(stores));
                    }
                }));
    }

    /** A stand-in is fenced like the others: the copy is made in the name of this recovery only. */
    private void fenceStandIns(Deque<StoreRef> stores) {
        StoreRef store = stores.poll();
        if (store == null) {
            next();
            return;
        }
        Optional<Replica> found = extent.ensemble().contains(store) ? Optional.empty() : replicas.find(store);
        if (found.isEmpty()) {
            fenceStandIns(stores);
            return;
        }
        Failures.stage(() -> found.get().fence(RecoveryRun.header(extent), epoch))
                .whenComplete((standing, failure) -> loop.execute(() -> {
                    if (standing != null && standing <= length) {
                        candidates.add(new Candidate(found.get(), standing, 0));
                    } else {
                        LOG.info(
                                "{} cannot stand in for extent {}: {}",
                                store,
                                extent.extentId(),
                                failure == null
                                        ? "it has " + standing + " bytes"
                                        : Failures.text(Failures.root(failure)));
                    }
                    // Enough for now; more are not needed, a later attempt asks again.
                    if (candidates.size() + holders.size() > extent.ackQuorum() + 1) {
                        next();
                    } else {
                        fenceStandIns(stores);
                    }
                }));
    }
}
