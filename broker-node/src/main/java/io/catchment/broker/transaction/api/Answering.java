package io.catchment.broker.transaction.api;

import io.catchment.broker.network.Request;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;

/** From results that come later to exactly one answer. */
final class Answering {
    private Answering() {}

    static <T> void with(Request request, CompletionStage<T> result, Function<T, AbstractResponse> toResponse) {
        var unused = result.thenApply(toResponse).whenComplete((response, failure) -> {
            if (failure != null) {
                request.fail(cause(failure));
            } else {
                request.respond(response);
            }
        });
    }

    static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    static Errors error(Throwable failure) {
        return Errors.forException(cause(failure));
    }

    static <T> CompletionStage<List<T>> all(List<? extends CompletionStage<T>> stages) {
        List<CompletableFuture<T>> futures =
                stages.stream().map(CompletionStage::toCompletableFuture).toList();
        return CompletableFuture.allOf(futures.toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> futures.stream().map(CompletableFuture::join).toList());
    }
}
