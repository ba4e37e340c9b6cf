package io.catchment.broker.flush;

import io.catchment.broker.loop.Backoff;
import io.catchment.controlplane.CommandException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/** Which step of a flush failed, and why. */
final class FlushFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final FlushMetrics.Stage stage;

    private FlushFailure(FlushMetrics.Stage stage, Throwable cause) {
        super(String.valueOf(cause.getMessage()), cause, false, false);
        this.stage = stage;
    }

    FlushMetrics.Stage stage() {
        return stage;
    }

    /** Null unless the control plane refused. */
    CommandException.@Nullable Reason reason() {
        return getCause() instanceof CommandException command ? command.reason() : null;
    }

    /** One line for the first failure and for each twentieth after it. */
    void logged(Logger log, long extentId, Backoff backoff) {
        if (backoff.isWorthALine()) {
            log.warn(
                    "Flush of extent {} failed at {}, attempt {}; what is acknowledged stays safe in the WAL. Trying on: {}",
                    extentId,
                    stage,
                    backoff.failures(),
                    getMessage());
        }
    }

    /** The step's stage; what the call itself throws fails the stage too, also for want of direct memory, which is told by an error. */
    static <T> CompletionStage<T> attempt(FlushMetrics.Stage stage, Supplier<CompletionStage<T>> step) {
        try {
            return of(stage, step.get());
        } catch (RuntimeException | OutOfMemoryError failed) {
            return CompletableFuture.failedStage(from(stage, failed));
        }
    }

    /** The same, but a failure says that it was of this stage. */
    static <T> CompletionStage<T> of(FlushMetrics.Stage stage, CompletionStage<T> step) {
        return step.exceptionallyCompose(failure -> CompletableFuture.failedStage(from(stage, failure)));
    }

    static FlushFailure from(FlushMetrics.Stage fallback, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof FlushFailure known ? known : new FlushFailure(fallback, cause);
    }
}
