package io.catchment.wal.recovery;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.Replicas;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Fences an extent on all stores of its ensemble. Owned by the recovery loop. Done when all have answered, or a moment after
 * enough have: who is still silent then is not waited for, it may be dead.
 */
final class FenceRound {
    private static final long GRACE_MS = 200;
    private static final long PATIENCE_MS = 600;

    private final ExtentDescriptor extent;
    private final long epoch;
    private final Loop loop;
    private final int needed;
    private final int enough;
    private final List<FenceAnswer> answers = new ArrayList<>();
    private final CompletableFuture<List<FenceAnswer>> done = new CompletableFuture<>();
    private int valid;

    /**
     * @param needed valid answers that decide the length: the silent ones, which may hang, are then waited for a little
     * @param enough valid answers with which there are holders enough too: they are waited for less
     */
    FenceRound(ExtentDescriptor extent, long epoch, Loop loop, int needed, int enough) {
        this.extent = extent;
        this.epoch = epoch;
        this.loop = loop;
        this.needed = needed;
        this.enough = enough;
    }

    CompletableFuture<List<FenceAnswer>> start(Replicas replicas) {
        ExtentHeader header = RecoveryRun.header(extent);
        for (StoreRef store : extent.ensemble()) {
            Optional<Replica> found = replicas.find(store);
            if (found.isEmpty()) {
                loop.execute(() -> answered(new FenceAnswer(
                        store,
                        null,
                        0,
                        "store " + store.storeId() + " of node " + store.nodeId() + " is lost or unreachable",
                        false,
                        false)));
            } else {
                Replica replica = found.get();
                Failures.stage(() -> replica.fence(header, epoch))
                        .whenComplete(
                                (length, failure) -> loop.execute(() -> answered(answer(replica, length, failure))));
            }
        }
        return done;
    }

    private static FenceAnswer answer(Replica replica, @Nullable Long length, @Nullable Throwable failure) {
        if (length != null) {
            return new FenceAnswer(replica.store(), replica, length, "", false, false);
        }
        Throwable cause = failure == null ? new IllegalStateException("no answer") : Failures.root(failure);
        long readable = cause instanceof CorruptExtentException corrupt ? corrupt.validLength() : 0;
        return new FenceAnswer(
                replica.store(),
                replica,
                readable,
                Failures.text(cause),
                Failures.fenced(cause),
                cause instanceof TimelyLocal.LateException);
    }

    private void answered(FenceAnswer answer) {
        if (done.isDone()) {
            return;
        }
        answers.add(answer);
        valid += answer.valid() ? 1 : 0;
        if (answers.size() == extent.ensemble().size()) {
            done.complete(List.copyOf(answers));
        } else if (answer.valid() && valid == enough) {
            loop.schedule(GRACE_MS, this::stopWaiting);
        } else if (answer.valid() && valid == needed) {
            loop.schedule(PATIENCE_MS, this::stopWaiting);
        }
    }

    private void stopWaiting() {
        if (done.isDone()) {
            return;
        }
        for (StoreRef store : extent.ensemble()) {
            if (answers.stream().noneMatch(answer -> answer.store().equals(store))) {
                answers.add(new FenceAnswer(store, null, 0, store + " did not answer in time", false, true));
            }
        }
        done.complete(List.copyOf(answers));
    }
}
