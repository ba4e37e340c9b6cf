package io.catchment.wal.loop;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** Work with the disk on a loop. Whatever goes wrong is this call's failure, want of memory for what is read too: the loop goes on. */
public final class DiskCall {
    /** What is to be done. */
    @FunctionalInterface
    public interface Task<T> {
        T run() throws IOException;
    }

    private DiskCall() {}

    /** Fails with what the task throws; with an IOException where there was no memory, which netty tells by an error. */
    public static <T> CompletionStage<T> on(Executor loop, Task<T> task) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                answer.complete(task.run());
            } catch (IOException | RuntimeException failed) {
                answer.completeExceptionally(failed);
            } catch (OutOfMemoryError want) {
                answer.completeExceptionally(new IOException("no memory for it: " + want.getMessage(), want));
            }
        });
        return answer;
    }
}
