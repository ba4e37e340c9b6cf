package io.catchment.chaos.cluster;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One scrape of a node's /metrics. Immutable. */
public final class Metrics {
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final Map<String, Double> samples;

    private Metrics(Map<String, Double> samples) {
        this.samples = samples;
    }

    public static Metrics of(URI node) {
        try {
            var answer = CLIENT.send(
                    HttpRequest.newBuilder(node.resolve("/metrics"))
                            .timeout(Duration.ofSeconds(10))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new IllegalStateException(node + "/metrics answered " + answer.statusCode());
            }
            return parse(answer.body());
        } catch (IOException e) {
            throw new IllegalStateException("no metrics from " + node, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Prometheus text: "name{labels} value" lines; comments are skipped. */
    static Metrics parse(String text) {
        Map<String, Double> samples = new HashMap<>();
        for (String line : text.split("\n", -1)) {
            int space = line.lastIndexOf(' ');
            if (space > 0 && !line.startsWith("#")) {
                samples.put(
                        line.substring(0, space),
                        Double.parseDouble(line.substring(space + 1).replace("Inf", "Infinity")));
            }
        }
        return new Metrics(samples);
    }

    /** Several scrapes as one: samples of the same name and labels are added up. */
    static Metrics sumOf(List<Metrics> nodes) {
        Map<String, Double> samples = new HashMap<>();
        nodes.forEach(node -> node.samples.forEach((name, value) -> samples.merge(name, value, Double::sum)));
        return new Metrics(samples);
    }

    /**
     * Sum over all label values.
     *
     * @throws IllegalStateException when there is no such metric: a check on a misspelt name must not pass
     */
    public double sum(String name) {
        return sum(name, "");
    }

    /** Sum of those samples that have this among their labels, as {@code name="value"}; 0 if none has, but others have the name. */
    public double sum(String name, String label) {
        double sum = 0;
        boolean found = false;
        for (Map.Entry<String, Double> sample : samples.entrySet()) {
            String key = sample.getKey();
            if (key.equals(name) || key.startsWith(name + "{")) {
                sum += key.contains(label) ? sample.getValue() : 0;
                found = true;
            }
        }
        if (!found) {
            throw new IllegalStateException("no metric " + name);
        }
        return sum;
    }
}
