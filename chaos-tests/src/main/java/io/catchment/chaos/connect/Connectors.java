package io.catchment.chaos.connect;

import io.catchment.chaos.cluster.Await;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Connect's REST interface, whichever worker answers. Owned by the thread that runs the scenario. */
final class Connectors {
    private static final Logger LOG = LoggerFactory.getLogger(Connectors.class);
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final List<Integer> ports;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private int restarts;

    Connectors(List<Integer> ports) {
        this.ports = List.copyOf(ports);
    }

    /** Asks again while workers start or share out their work. */
    void put(String name, Map<String, String> config) {
        String body = config.entrySet().stream()
                .map(entry -> "\"%s\":\"%s\"".formatted(entry.getKey(), entry.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
        Await.until("connector " + name, PATIENCE, Duration.ofMillis(500), () -> {
            String answer = ask("PUT", "/connectors/" + name + "/config", body);
            if (answer != null && answer.startsWith("400")) {
                throw new IllegalStateException(answer);
            }
            return answer != null && answer.startsWith("20");
        });
    }

    boolean running(String name) {
        String status = ask("GET", "/connectors/" + name + "/status", "");
        return status != null && status.contains("\"tasks\":[{\"id\":0,\"state\":\"RUNNING\"");
    }

    /** As an operator does it; Connect leaves a failed task alone. */
    void restartFailed(String name) {
        String status = ask("GET", "/connectors/" + name + "/status", "");
        if (status != null && status.contains("\"FAILED\"")) {
            LOG.info("restart of {}: {}", name, status.substring(0, Math.min(400, status.length())));
            ask("POST", "/connectors/" + name + "/restart?includeTasks=true&onlyFailed=true", "");
            restarts++;
        }
    }

    int restarts() {
        return restarts;
    }

    /** Status and body; null if no worker answers. */
    private @Nullable String ask(String method, String path, String body) {
        for (int port : ports) {
            try {
                var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .timeout(Duration.ofSeconds(10))
                        .header("Content-Type", "application/json")
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build();
                HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
                return answer.statusCode() + " " + answer.body();
            } catch (IOException e) {
                LOG.debug("worker at {} does not answer", port, e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return null;
            }
        }
        return null;
    }
}
