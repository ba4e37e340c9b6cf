package io.catchment.wal.replica;

import io.catchment.wal.ExtentRegistry;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What is behind a failed stage. */
public final class Failures {
    private Failures() {}

    /** Something that answers with a stage, or throws at once. */
    public interface Call<T> {
        CompletionStage<T> start();
    }

    /** The call's stage; a call that throws is a stage that failed. */
    public static <T> CompletionStage<T> stage(Call<T> call) {
        try {
            return call.start();
        } catch (RuntimeException failed) {
            return CompletableFuture.failedStage(failed);
        }
    }

    /** Goes on, on the given executor, once all are done or one has failed. */
    public static void whenAll(
            Collection<? extends CompletionStage<?>> stages, Executor executor, Consumer<@Nullable Throwable> then) {
        CompletionStage<Void> all = CompletableFuture.allOf(
                stages.stream().map(CompletionStage::toCompletableFuture).toArray(CompletableFuture<?>[]::new));
        all.whenComplete((done, failure) -> executor.execute(() -> then.accept(failure)));
    }

    public static Throwable root(Throwable failure) {
        Throwable at = failure;
        while ((at instanceof CompletionException || at instanceof ExecutionException) && at.getCause() != null) {
            at = at.getCause();
        }
        return at;
    }

    /** Whether this node may write no more, ever. */
    public static boolean fenced(Throwable cause) {
        return cause instanceof ExtentRegistry.FencedException || cause instanceof Replica.FencedByRecoveryException;
    }

    /** For people: the message with the kind of exception. */
    public static String text(Throwable cause) {
        String message = cause.getMessage();
        return message == null || message.isBlank()
                ? cause.getClass().getSimpleName()
                : cause.getClass().getSimpleName() + ": " + message;
    }
}
