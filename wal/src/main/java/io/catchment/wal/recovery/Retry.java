package io.catchment.wal.recovery;

import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks again and again until there is an answer, or until this node is fenced. Runs on the given loop. */
final class Retry {
    private static final Logger LOG = LoggerFactory.getLogger(Retry.class);

    private Retry() {}

    static <T> CompletableFuture<T> untilAnswered(Loop loop, Backoff backoff, String what, Failures.Call<T> call) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(() -> attempt(loop, backoff, what, call, answer));
        return answer;
    }

    private static <T> void attempt(
            Loop loop, Backoff backoff, String what, Failures.Call<T> call, CompletableFuture<T> answer) {
        var unused = Failures.stage(call)
                .whenComplete((value, failure) -> loop.execute(() -> {
                    if (failure == null) {
                        answer.complete(value);
                        return;
                    }
                    Throwable cause = Failures.root(failure);
                    if (Failures.fenced(cause)) {
                        answer.completeExceptionally(cause);
                    } else {
                        LOG.debug("{} failed, trying again: {}", what, Failures.text(cause));
                        loop.schedule(backoff.nextMs(), () -> attempt(loop, backoff, what, call, answer));
                    }
                }));
    }
}
