package io.catchment.broker.node;

import io.catchment.controlplane.CommandException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;

/** The end of an epoch: it comes once, from wherever it is seen first, and whoever waits for something of the epoch waits no longer. Thread-safe. */
final class EpochEnd {
    private final CompletableFuture<Void> come = new CompletableFuture<>();

    /** @param step runs when it comes, on the thread that saw it */
    void then(Runnable step) {
        var unused = come.whenComplete((nothing, failure) -> step.run());
    }

    void come() {
        come.complete(null);
    }

    boolean hasCome() {
        return come.isDone();
    }

    /**
     * Waits for what the beginning needs.
     *
     * @throws EpochOverException when the end comes first
     * @throws CommandException when the controllers refuse or do not answer
     */
    <T> T await(CompletionStage<T> stage) throws Exception {
        CompletableFuture<T> result = stage.toCompletableFuture();
        try {
            CompletableFuture.anyOf(result, come).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CommandException command) {
                throw command;
            }
            throw e;
        }
        if (!result.isDone()) {
            throw new EpochOverException("the epoch ended while it began");
        }
        return result.get();
    }
}
