package io.catchment.broker.observe;

import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The paths that every node has. Immutable. */
public final class NodeRoutes {
    /** An event loop that does nothing else for this long is stuck. */
    private static final long LOOP_ANSWER_MS = 2_000;

    private NodeRoutes() {}

    /** Adds {@code /metrics}, {@code /healthz} and {@code /readyz}. */
    public static void add(HttpServer server, NodeMetrics metrics, Readiness readiness, List<EventLoop> loops) {
        server.route("/metrics", getOnly(() -> CompletableFuture.completedFuture(metrics(metrics))))
                .route("/readyz", getOnly(() -> CompletableFuture.completedFuture(readiness(readiness))))
                .route("/healthz", getOnly(() -> health(loops)));
    }

    private static HttpRoute getOnly(Supplier<CompletionStage<HttpRoute.Answer>> answer) {
        return call -> call.method().equals("GET") || call.method().equals("HEAD")
                ? answer.get()
                : CompletableFuture.completedFuture(HttpRoute.Answer.text(405, "Only GET.\n"));
    }

    private static HttpRoute.Answer metrics(NodeMetrics metrics) {
        return new HttpRoute.Answer(
                200,
                "text/plain; version=0.0.4; charset=utf-8",
                metrics.scrape().getBytes(StandardCharsets.UTF_8));
    }

    private static HttpRoute.Answer readiness(Readiness readiness) {
        Map<String, String> conditions = readiness.all();
        boolean ready = conditions.values().stream().allMatch(String::isEmpty);
        StringBuilder json = new StringBuilder("{\"ready\":").append(ready).append(",\"conditions\":{");
        String separator = "";
        for (Map.Entry<String, String> condition : conditions.entrySet()) {
            json.append(separator)
                    .append(Json.quote(condition.getKey()))
                    .append(":{\"met\":")
                    .append(condition.getValue().isEmpty());
            if (!condition.getValue().isEmpty()) {
                json.append(",\"reason\":").append(Json.quote(condition.getValue()));
            }
            json.append('}');
            separator = ",";
        }
        return HttpRoute.Answer.json(ready ? 200 : 503, json.append("}}\n").toString());
    }

    /** Healthy if every event loop runs a task in time; else a restart is due. */
    private static CompletionStage<HttpRoute.Answer> health(List<EventLoop> loops) {
        List<CompletableFuture<Boolean>> answers = new ArrayList<>();
        for (EventLoop loop : loops) {
            CompletableFuture<Boolean> answered = new CompletableFuture<>();
            try {
                loop.execute(() -> answered.complete(true));
            } catch (RejectedExecutionException ended) {
                answered.complete(false);
            }
            answers.add(answered.completeOnTimeout(false, LOOP_ANSWER_MS, TimeUnit.MILLISECONDS));
        }
        return CompletableFuture.allOf(answers.toArray(new CompletableFuture<?>[0]))
                .thenApply(all -> {
                    long stuck =
                            answers.stream().filter(answer -> !answer.join()).count();
                    return stuck == 0
                            ? HttpRoute.Answer.json(200, "{\"healthy\":true}\n")
                            : HttpRoute.Answer.json(
                                    503,
                                    "{\"healthy\":false,\"reason\":\"" + stuck + " of " + loops.size()
                                            + " event loops did not answer within " + LOOP_ANSWER_MS + " ms\"}\n");
                });
    }
}
