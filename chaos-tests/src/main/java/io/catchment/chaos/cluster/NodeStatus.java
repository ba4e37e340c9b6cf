package io.catchment.chaos.cluster;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a Catchment node says of itself ({@code GET /status}).
 *
 * @param owned partitions it leads
 * @param holdsLastCopies whether something would be lost with its disk
 */
public record NodeStatus(long epoch, int owned, boolean draining, int unflushedExtents, boolean holdsLastCopies) {
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    /** Empty when the node does not answer. */
    public static Optional<NodeStatus> of(URI node) {
        try {
            var answer = CLIENT.send(
                    HttpRequest.newBuilder(node.resolve("/status"))
                            .timeout(Duration.ofSeconds(3))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            return answer.statusCode() == 200 ? Optional.of(parse(answer.body())) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    static NodeStatus parse(String json) {
        return new NodeStatus(
                Long.parseLong(field(json, "epoch")),
                Integer.parseInt(field(json, "owned")),
                Boolean.parseBoolean(field(json, "draining")),
                Integer.parseInt(field(json, "unflushedExtents")),
                Boolean.parseBoolean(field(json, "holdsLastCopies")));
    }

    private static String field(String json, String name) {
        Matcher matcher =
                Pattern.compile("\"" + name + "\"\\s*:\\s*\"?([^,}\\s\"]*)").matcher(json);
        if (!matcher.find()) {
            throw new IllegalStateException("no " + name + " in " + json);
        }
        return matcher.group(1);
    }
}
