package io.catchment.broker.observe;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Answers the HTTP requests of one path. */
@FunctionalInterface
public interface HttpRoute {

    /** Called on the HTTP server's own thread; must not block for long. A failed stage becomes a 500. */
    CompletionStage<Answer> answer(Call call);

    /** @param query parameters with all their values */
    record Call(String method, String path, Map<String, List<String>> query, byte[] body) {}

    record Answer(int status, String contentType, byte[] body) {

        public static Answer text(int status, String text) {
            return new Answer(status, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
        }

        public static Answer json(int status, String json) {
            return new Answer(status, "application/json", json.getBytes(StandardCharsets.UTF_8));
        }
    }
}
