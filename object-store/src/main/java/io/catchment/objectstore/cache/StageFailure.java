package io.catchment.objectstore.cache;

import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** What really failed a stage. */
final class StageFailure {
    private StageFailure() {}

    static Throwable cause(@Nullable Throwable failure) {
        if (failure == null) {
            return new IllegalStateException("a stage ended with neither a value nor a failure");
        }
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
