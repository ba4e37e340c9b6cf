package io.catchment.broker.request;

import io.catchment.broker.network.Request;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.kafka.common.requests.AbstractResponse;

/** From a result that comes later to exactly one answer. */
public final class Answer {
    private Answer() {}

    public static <T> void with(Request request, CompletionStage<T> result, Function<T, AbstractResponse> toResponse) {
        var unused = result.handle((value, failure) -> {
            if (failure != null) {
                request.fail(cause(failure));
            } else {
                respond(request, value, toResponse);
            }
            return request;
        });
    }

    private static <T> void respond(Request request, T value, Function<T, AbstractResponse> toResponse) {
        AbstractResponse response;
        try {
            response = toResponse.apply(value);
        } catch (RuntimeException e) {
            request.fail(e);
            return;
        }
        request.respond(response);
    }

    public static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
