package io.catchment.wal.recovery;

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
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The recovery of one extent. Owned by the recovery loop.
 *
 * <p>Why R−A+1 answers are enough: an acknowledged byte was durable on A stores; any R−A+1 of the R include one of these.
 * Fewer answers could all be from stores that missed it, so then the extent waits. Only original stores count: an empty
 * directory under a new store id knows nothing about what its predecessor promised.
 *
 * <p>A run may die anywhere: fences only add up, copied tails are the writer's own bytes, and the length is decided by one
 * command of the control plane, which refuses a run that another one has superseded.
 */
final class RecoveryRun {
    private static final Logger LOG = LoggerFactory.getLogger(RecoveryRun.class);
    private static final long SETTLE_PATIENCE_MS = 500;

    private final ExtentDescriptor extent;
    private final boolean declaredLost;
    private final ExtentRegistry registry;
    private final Replicas replicas;
    private final Loop loop;
    private final Supplier<Backoff> backoffs;
    private final LengthRule rule;

    RecoveryRun(
            ExtentDescriptor extent,
            boolean declaredLost,
            ExtentRegistry registry,
            Replicas replicas,
            Loop loop,
            Supplier<Backoff> backoffs,
            LengthRule rule) {
        this.extent = extent;
        this.declaredLost = declaredLost;
        this.registry = registry;
        this.replicas = replicas;
        this.loop = loop;
        this.backoffs = backoffs;
        this.rule = rule;
    }

    static ExtentHeader header(ExtentDescriptor extent) {
        return new ExtentHeader(
                extent.extentId(), extent.writerNodeId(), extent.writerEpoch(), extent.lane(), extent.ackQuorum());
    }

    CompletableFuture<RecoveryOutcome> start() {
        int needed = needed();
        int enough = Math.max(needed, extent.ackQuorum());
        return Retry.untilAnswered(
                        loop,
                        backoffs.get(),
                        "starting the recovery of extent " + extent.extentId(),
                        () -> registry.startRecovery(extent.extentId()))
                .thenCompose(epoch -> new FenceRound(extent, epoch, loop, needed, enough)
                        .start(replicas)
                        .thenCompose(answers -> decide(epoch, answers)))
                .exceptionallyCompose(this::superseded);
    }

    private int needed() {
        return extent.ensemble().size() - extent.ackQuorum() + 1;
    }

    private CompletableFuture<RecoveryOutcome> decide(long epoch, List<FenceAnswer> answers) {
        Optional<FenceAnswer> later =
                answers.stream().filter(FenceAnswer::superseded).findFirst();
        if (later.isPresent()) {
            return waiting(
                    List.of(),
                    false,
                    "another recovery has taken over: " + later.get().failure());
        }
        List<FenceAnswer> usable = answers.stream()
                .filter(answer -> answer.valid() || declaredLost)
                .toList();
        long valid = usable.stream().filter(FenceAnswer::valid).count();
        boolean mayAnswer = answers.stream().anyMatch(FenceAnswer::silent);
        // Who declares an extent lost gives up what nobody has, not what a disk that stands still may have
        if (valid < needed() && (!declaredLost || mayAnswer)) {
            return undecided(
                    answers,
                    valid + " of " + extent.ensemble().size() + " stores answered, " + needed() + " are needed");
        }
        long length = rule.finalLength(usable.stream().mapToLong(FenceAnswer::length));
        if (length == 0) {
            // Each has all of nothing, also one that is lost.
            return seal(0, extent.ensemble(), usable);
        }
        return new TailCopy(extent, epoch, length, usable, loop, replicas, registry)
                .start()
                .thenComposeAsync(
                        holders -> holders.size() < extent.ackQuorum() && !declaredLost
                                ? undecided(
                                        answers,
                                        "only " + holders.size() + " stores hold all " + length + " bytes, "
                                                + extent.ackQuorum() + " are needed")
                                : seal(length, holders, usable),
                        loop);
    }

    private CompletableFuture<RecoveryOutcome> undecided(List<FenceAnswer> answers, String why) {
        List<StoreRef> missing = new ArrayList<>();
        StringBuilder reason = new StringBuilder(why);
        for (FenceAnswer answer : answers) {
            if (!answer.valid()) {
                missing.add(answer.store());
                reason.append("; ").append(answer.failure());
            }
        }
        return waiting(missing, answers.stream().anyMatch(FenceAnswer::silent), reason.toString());
    }

    private CompletableFuture<RecoveryOutcome> waiting(List<StoreRef> missing, boolean mayAnswer, String reason) {
        return CompletableFuture.completedFuture(new RecoveryOutcome.Undecided(
                new RecoveryReport.Waiting(extent.extentId(), missing, mayAnswer, reason)));
    }

    /** Sealed already, or recovered by somebody else now: no failure of the other extents of this report. */
    private CompletableFuture<RecoveryOutcome> superseded(Throwable failure) {
        Throwable cause = Failures.root(failure);
        return Failures.fenced(cause)
                ? waiting(List.of(), false, "it is not this node's to recover: " + Failures.text(cause))
                : CompletableFuture.failedFuture(cause);
    }

    private CompletableFuture<RecoveryOutcome> seal(long length, List<StoreRef> holders, List<FenceAnswer> answers) {
        // The control plane wants somebody to ask, also for an extent that nobody has anything of.
        List<StoreRef> recorded = holders.isEmpty() ? extent.ensemble() : holders;
        return Retry.untilAnswered(
                        loop,
                        backoffs.get(),
                        "sealing the recovered extent " + extent.extentId(),
                        () -> registry.seal(extent.extentId(), length, recorded))
                .thenCompose(done -> settle(length, recorded, answers))
                .thenApply(settled ->
                        new RecoveryOutcome.Decided(new RecoveryReport.Sealed(extent.extentId(), length, recorded)));
    }

    /**
     * Holders are cut to the length, others forget what they have. A store that hears nothing of it now hears it from the
     * control plane at its next start.
     */
    private CompletableFuture<Void> settle(long length, List<StoreRef> holders, List<FenceAnswer> answers) {
        Set<StoreRef> stores = new HashSet<>(holders);
        answers.stream().filter(FenceAnswer::valid).forEach(answer -> stores.add(answer.store()));
        List<CompletableFuture<Void>> told = new ArrayList<>();
        for (StoreRef store : stores) {
            Optional<Replica> replica = replicas.find(store);
            if (replica.isPresent()) {
                told.add(Failures.stage(() -> holders.contains(store)
                                ? replica.get().settle(extent.extentId(), length)
                                : replica.get().discard(extent.extentId()))
                        .toCompletableFuture()
                        .exceptionally(failure -> {
                            LOG.warn(
                                    "Extent {} is sealed at {} but {} could not record it yet: {}",
                                    extent.extentId(),
                                    length,
                                    store,
                                    Failures.text(Failures.root(failure)));
                            return null;
                        }));
            }
        }
        CompletableFuture<Void> all = CompletableFuture.allOf(told.toArray(CompletableFuture<?>[]::new));
        // The length is decided: a slow store must not keep streams from their new owners.
        loop.schedule(SETTLE_PATIENCE_MS, () -> all.complete(null));
        return all;
    }
}
