package io.catchment.wal.recovery;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.Replicas;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The recovery of one extent. Owned by the recovery loop.
 *
 * <p>Why R−A+1 answers are enough: an acknowledged byte was durable on A stores; any R−A+1 of the R include one of these.
 * Fewer answers could all be from stores that missed it, so then the extent waits. Only original stores count: an empty
 * directory under a new store id knows nothing about what its predecessor promised.
 */
final class RecoveryRun {
    private static final Logger LOG = LoggerFactory.getLogger(RecoveryRun.class);
    private static final int COPY_BYTES_MAX = 4 << 20;

    /** @param replica null if the store could not be reached; {@code length} then means nothing */
    private record Answer(StoreRef store, @Nullable Replica replica, long length, String failure) {
        boolean valid() {
            return failure.isEmpty();
        }
    }

    private final ExtentDescriptor extent;
    private final boolean declaredLost;
    private final ExtentRegistry registry;
    private final Replicas replicas;
    private final Loop loop;
    private final Supplier<Backoff> backoffs;

    RecoveryRun(
            ExtentDescriptor extent,
            boolean declaredLost,
            ExtentRegistry registry,
            Replicas replicas,
            Loop loop,
            Supplier<Backoff> backoffs) {
        this.extent = extent;
        this.declaredLost = declaredLost;
        this.registry = registry;
        this.replicas = replicas;
        this.loop = loop;
        this.backoffs = backoffs;
    }

    CompletableFuture<RecoveryOutcome> start() {
        return Retry.untilAnswered(
                        loop,
                        backoffs.get(),
                        "starting the recovery of extent " + extent.extentId(),
                        () -> registry.startRecovery(extent.extentId()))
                .thenCompose(epoch -> fenceAll(epoch).thenCompose(answers -> decide(epoch, answers)));
    }

    private CompletableFuture<List<Answer>> fenceAll(long epoch) {
        List<CompletableFuture<Answer>> answers =
                extent.ensemble().stream().map(store -> fence(store, epoch)).toList();
        return CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new))
                .thenApplyAsync(
                        all -> answers.stream().map(CompletableFuture::join).toList(), loop);
    }

    private CompletableFuture<Answer> fence(StoreRef store, long epoch) {
        Optional<Replica> found = replicas.find(store);
        if (found.isEmpty()) {
            return CompletableFuture.completedFuture(new Answer(
                    store,
                    null,
                    0,
                    "store " + store.storeId() + " of node " + store.nodeId() + " is lost or unreachable"));
        }
        Replica replica = found.get();
        return Failures.stage(() -> replica.fence(extent.extentId(), epoch))
                .toCompletableFuture()
                .handle((length, failure) -> {
                    if (failure == null) {
                        return new Answer(store, replica, length, "");
                    }
                    Throwable cause = Failures.root(failure);
                    long valid = cause instanceof CorruptExtentException corrupt ? corrupt.validLength() : 0;
                    return new Answer(store, replica, valid, Failures.text(cause));
                });
    }

    private CompletableFuture<RecoveryOutcome> decide(long epoch, List<Answer> answers) {
        List<Answer> usable = answers.stream()
                .filter(answer -> answer.valid() || declaredLost)
                .toList();
        int needed = extent.ensemble().size() - extent.ackQuorum() + 1;
        if (usable.size() < needed && !declaredLost) {
            return undecided(
                    answers,
                    usable.size() + " of " + extent.ensemble().size() + " stores answered, " + needed + " are needed");
        }
        long length = usable.stream().mapToLong(Answer::length).max().orElse(0);
        return copyMissing(epoch, length, usable)
                .thenComposeAsync(
                        holders -> holders.size() < extent.ackQuorum() && !declaredLost
                                ? undecided(
                                        answers,
                                        "only " + holders.size() + " stores hold all " + length + " bytes, "
                                                + extent.ackQuorum() + " are needed")
                                : seal(length, holders, usable),
                        loop);
    }

    private CompletableFuture<RecoveryOutcome> undecided(List<Answer> answers, String why) {
        List<StoreRef> missing = new ArrayList<>();
        StringBuilder reason = new StringBuilder(why);
        for (Answer answer : answers) {
            if (!answer.valid()) {
                missing.add(answer.store);
                reason.append("; ").append(answer.failure);
            }
        }
        return CompletableFuture.completedFuture(new RecoveryOutcome.Undecided(
                new RecoveryReport.Waiting(extent.extentId(), missing, reason.toString())));
    }

    /** Copies the longest replica's tail until A stores hold it; answers who holds everything then. */
    private CompletableFuture<List<StoreRef>> copyMissing(long epoch, long length, List<Answer> answers) {
        List<StoreRef> holders = new ArrayList<>();
        Replica source = null;
        for (Answer answer : answers) {
            if (answer.replica != null && answer.length == length) {
                holders.add(answer.store);
                source = answer.replica;
            }
        }
        CompletableFuture<List<StoreRef>> done = CompletableFuture.completedFuture(holders);
        for (Answer answer : answers) {
            Replica from = source;
            Replica to = answer.replica;
            if (from == null || to == null || !answer.valid() || answer.length == length) {
                continue;
            }
            done = done.thenCompose(soFar -> soFar.size() >= extent.ackQuorum()
                    ? CompletableFuture.completedFuture(soFar)
                    : copy(from, to, epoch, Math.max(answer.length, ExtentHeader.BYTES), length)
                            .handle((copied, failure) -> {
                                if (failure == null) {
                                    soFar.add(answer.store);
                                } else {
                                    LOG.warn(
                                            "Copying the tail of extent {} to {} failed: {}",
                                            extent.extentId(),
                                            answer.store,
                                            Failures.text(Failures.root(failure)));
                                }
                                return soFar;
                            }));
        }
        return done;
    }

    private CompletableFuture<Long> copy(Replica from, Replica to, long epoch, long position, long end) {
        if (position >= end) {
            return CompletableFuture.completedFuture(position);
        }
        int bytes = (int) Math.min(COPY_BYTES_MAX, end - position);
        return from.fetch(extent.extentId(), position, bytes)
                .thenCompose(piece -> to.copy(header(), epoch, position, piece))
                .toCompletableFuture()
                .thenComposeAsync(copied -> copy(from, to, epoch, copied, end), loop);
    }

    private ExtentHeader header() {
        return new ExtentHeader(
                extent.extentId(), extent.writerNodeId(), extent.writerEpoch(), extent.lane(), extent.ackQuorum());
    }

    private CompletableFuture<RecoveryOutcome> seal(long length, List<StoreRef> holders, List<Answer> answers) {
        return Retry.untilAnswered(
                        loop,
                        backoffs.get(),
                        "sealing the recovered extent " + extent.extentId(),
                        () -> registry.seal(extent.extentId(), length, holders))
                .thenCompose(recorded -> settle(length, answers))
                .thenApply(settled ->
                        new RecoveryOutcome.Decided(new RecoveryReport.Sealed(extent.extentId(), length, holders)));
    }

    /** A store that fails to record the length now hears it again at its next start. */
    private CompletableFuture<Void> settle(long length, List<Answer> answers) {
        List<CompletableFuture<Void>> settled = new ArrayList<>();
        for (Answer answer : answers) {
            Replica replica = answer.replica;
            if (replica != null && answer.length <= length) {
                settled.add(Failures.stage(() -> replica.settle(extent.extentId(), length))
                        .toCompletableFuture()
                        .exceptionally(failure -> {
                            LOG.warn(
                                    "Extent {} is sealed at {} but {} could not record it yet: {}",
                                    extent.extentId(),
                                    length,
                                    answer.store,
                                    Failures.text(Failures.root(failure)));
                            return null;
                        }));
            }
        }
        return CompletableFuture.allOf(settled.toArray(CompletableFuture<?>[]::new));
    }
}
