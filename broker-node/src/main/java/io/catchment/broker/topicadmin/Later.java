package io.catchment.broker.topicadmin;

import io.catchment.broker.network.Request;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import org.apache.kafka.common.requests.AbstractResponse;

/** Answers that depend on a command. */
public final class Later {
    private Later() {}

    /**
     * Answers the request when the stage completes, on the request's event loop. {@code answer} gets the value or the failure, the
     * other one null, as in {@link CompletionStage#whenComplete}; what it throws becomes the API's error answer.
     */
    public static <T> void respond(
            Request request, CompletionStage<T> stage, BiFunction<T, Throwable, AbstractResponse> answer) {
        stage.whenCompleteAsync(
                (value, failure) -> {
                    AbstractResponse response;
                    try {
                        response = answer.apply(value, failure);
                    } catch (RuntimeException e) {
                        request.fail(e);
                        return;
                    }
                    request.respond(response);
                },
                request.eventLoop());
    }
}
