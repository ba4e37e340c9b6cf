package io.catchment.broker.share.partition;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.share.persister.PersisterStateBatch;

/** The coordinator's knowledge of one share partition, offset by offset. Answers at once, or when the test says so. Owned by the test's thread. */
final class MemoryState implements StateStore {
    int stateEpoch;
    int leaderEpoch = -1;
    long startOffset = -1;
    int doneCount;
    final TreeMap<Long, PersisterStateBatch> offsets = new TreeMap<>();
    final List<Write> writes = new ArrayList<>();
    private final Deque<Runnable> held = new ArrayDeque<>();
    private final Deque<CompletableFuture<Void>> answers = new ArrayDeque<>();
    private boolean holding;

    void hold() {
        holding = true;
    }

    int held() {
        return held.size();
    }

    void letGo() {
        holding = false;
        while (!held.isEmpty()) {
            held.poll().run();
        }
    }

    /** The oldest write that is held fails without having been carried out. */
    void failNext(ApiException why) {
        held.poll();
        answers.poll().completeExceptionally(why);
    }

    @Override
    public CompletionStage<Stored> read(int epoch) {
        if (epoch < leaderEpoch) {
            return CompletableFuture.failedFuture(Errors.NOT_LEADER_OR_FOLLOWER.exception("fenced"));
        }
        leaderEpoch = epoch;
        return CompletableFuture.completedFuture(new Stored(stateEpoch, startOffset, List.copyOf(offsets.values())));
    }

    @Override
    public CompletionStage<Void> write(Write write) {
        CompletableFuture<Void> answer = new CompletableFuture<>();
        answers.add(answer);
        held.add(() -> {
            answers.poll();
            take(write, answer);
        });
        if (!holding) {
            letGo();
        }
        return answer;
    }

    private void take(Write write, CompletableFuture<Void> answer) {
        if (write.leaderEpoch() < leaderEpoch || write.stateEpoch() < stateEpoch) {
            answer.completeExceptionally(Errors.NOT_LEADER_OR_FOLLOWER.exception("fenced"));
            return;
        }
        writes.add(write);
        startOffset = write.startOffset();
        doneCount = write.doneCount();
        for (PersisterStateBatch batch : write.batches()) {
            for (long offset = batch.firstOffset(); offset <= batch.lastOffset(); offset++) {
                offsets.put(
                        offset, new PersisterStateBatch(offset, offset, batch.deliveryState(), batch.deliveryCount()));
            }
        }
        offsets.headMap(startOffset).clear();
        answer.complete(null);
    }
}
