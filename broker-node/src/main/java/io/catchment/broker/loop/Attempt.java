package io.catchment.broker.loop;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** A step that fails in one way only: by its stage. What repeats itself after each step does so after one that throws as well. */
public final class Attempt {
    private Attempt() {}

    /** What the step gives; failed when it throws, for want of direct memory too, which netty tells by an error. */
    public static <T> CompletionStage<T> of(Supplier<? extends CompletionStage<T>> step) {
        try {
            return step.get();
        } catch (RuntimeException | OutOfMemoryError e) {
            return CompletableFuture.failedFuture(e);
        }
    }
}
