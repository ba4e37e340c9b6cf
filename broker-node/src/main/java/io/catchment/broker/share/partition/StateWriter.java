package io.catchment.broker.share.partition;

import io.catchment.broker.loop.SerialLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.share.fetch.RecordState;
import org.apache.kafka.server.share.persister.PersisterStateBatch;
import org.jspecify.annotations.Nullable;

/**
 * What the share coordinator knows of a share partition. One write to it is under way at a time. It tells how everything stands that changed
 * since the last one, so what happens meanwhile gathers for the next, and writes cannot overtake each other. Owned by the share loop.
 */
final class StateWriter {
    private final int leaderEpoch;
    private final StateStore store;
    private final SerialLoop loop;
    private final Listener listener;

    private boolean startIsNews;
    private boolean underWay;
    private List<CompletableFuture<Void>> waiting = new ArrayList<>();

    /** Hears on the share loop. */
    @FunctionalInterface
    interface Listener {
        /**
         * A write has its answer; another may follow.
         *
         * @param failure null: it is known
         * @param answers of those who wait for this, to be completed by who hears it
         */
        void answered(@Nullable ApiException failure, List<CompletableFuture<Void>> answers);
    }

    StateWriter(int leaderEpoch, StateStore store, SerialLoop loop, Listener listener) {
        this.leaderEpoch = leaderEpoch;
        this.store = store;
        this.loop = loop;
        this.listener = listener;
    }

    /** Nothing is being written or waits to be. */
    boolean isSettled(RecordRuns runs) {
        return !underWay
                && !startIsNews
                && runs.all().stream().allMatch(run -> run.knowledge == RecordRun.Knowledge.KNOWN);
    }

    /** The next write tells of it even if no record changed. */
    void startIsNews() {
        startIsNews = true;
    }

    /** Is an answer of the next write. */
    CompletableFuture<Void> nextAnswer() {
        CompletableFuture<Void> answer = new CompletableFuture<>();
        waiting.add(answer);
        return answer;
    }

    /** Those who wait for a write that is not begun. */
    List<CompletableFuture<Void>> takeWaiting() {
        List<CompletableFuture<Void>> all = waiting;
        waiting = new ArrayList<>();
        return all;
    }

    /** Writes what is news, if anything is and nothing is being written. */
    void write(RecordRuns runs, int stateEpoch) {
        if (underWay) {
            return;
        }
        long start = runs.startOnceWritten();
        int done = 0;
        List<PersisterStateBatch> batches = new ArrayList<>();
        boolean news = startIsNews;
        for (RecordRun run : runs.all()) {
            news |= run.knowledge == RecordRun.Knowledge.TO_BE_WRITTEN;
            if (run.firstOffset() >= start) {
                done += run.willBeDone() ? (int) run.size() : 0;
                if (run.knowledge == RecordRun.Knowledge.TO_BE_WRITTEN) {
                    batches.add(stored(run));
                }
            }
            if (run.knowledge == RecordRun.Knowledge.TO_BE_WRITTEN) {
                run.knowledge = RecordRun.Knowledge.BEING_WRITTEN;
            }
        }
        if (!news) {
            return;
        }
        underWay = true;
        startIsNews = false;
        List<CompletableFuture<Void>> answers = takeWaiting();
        var unused = store.write(new StateStore.Write(stateEpoch, leaderEpoch, start, done, batches))
                .whenComplete((nothing, failure) -> loop.execute(() -> {
                    underWay = false;
                    listener.answered(failure == null ? null : exception(failure), answers);
                }));
    }

    /** A delivery under way is not stored, only how often there was one. */
    private static PersisterStateBatch stored(RecordRun run) {
        RecordState target = run.target;
        RecordState state = target != null ? target : run.isDone() ? run.state : RecordState.AVAILABLE;
        return new PersisterStateBatch(run.firstOffset(), run.lastOffset(), state.id(), (short) run.deliveryCount);
    }

    /** What was being written takes effect if it is known, else stays as it was. */
    static void conclude(RecordRuns runs, boolean known) {
        for (RecordRun run : runs.all()) {
            if (run.knowledge == RecordRun.Knowledge.BEING_WRITTEN) {
                run.knowledge = RecordRun.Knowledge.KNOWN;
                RecordState target = run.target;
                run.target = null;
                if (known && target != null) {
                    run.become(target);
                }
            }
        }
        if (known) {
            // The write has the start in it already
            runs.advance();
        }
        runs.join();
    }

    /** As a store's stages fail. */
    static ApiException exception(@Nullable Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof ApiException known
                ? known
                : Errors.UNKNOWN_SERVER_ERROR.exception(String.valueOf(cause));
    }
}
