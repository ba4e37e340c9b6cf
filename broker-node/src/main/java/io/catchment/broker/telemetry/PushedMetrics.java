package io.catchment.broker.telemetry;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.server.telemetry.ClientTelemetryContext;
import org.apache.kafka.server.telemetry.ClientTelemetryExporter;
import org.apache.kafka.server.telemetry.ClientTelemetryPayload;
import org.apache.kafka.shaded.com.google.protobuf.InvalidProtocolBufferException;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.KeyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ScopeMetrics;

/**
 * The newest values that clients have pushed, as lines for whoever scrapes this node: gauges as they are, sums added up. Thread-safe. Bounded: what
 * would be too much is counted and dropped; a client is forgotten when it says goodbye, or after three of its intervals.
 */
public final class PushedMetrics implements ClientTelemetryExporter {
    static final int CLIENTS_MAX = 1_000;
    static final int SERIES_PER_CLIENT_MAX = 500;
    private static final int INTERVALS_KEPT = 3;
    private static final String NAME = "catchment_client_metric";

    private final Map<Uuid, Client> clients = new ConcurrentHashMap<>();
    private final AtomicLong pushes = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private final LongSupplier nanoTime;

    /** One series of a client: what is measured, and of what (topic, node …) as {@code key=value} pairs. */
    private record Series(String metric, String of) {}

    private record Client(String clientId, Map<Series, Double> values, long forgetAtNanos) {}

    public PushedMetrics(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** @throws InvalidRequestException for what is not in OpenTelemetry's form */
    @Override
    public void exportMetrics(ClientTelemetryContext context, ClientTelemetryPayload payload) {
        MetricsData data;
        try {
            data = MetricsData.parseFrom(payload.data());
        } catch (InvalidProtocolBufferException e) {
            throw new InvalidRequestException("pushed metrics of type " + payload.contentType() + " cannot be read", e);
        }
        pushes.incrementAndGet();
        forgetTheSilent();
        Uuid id = payload.clientInstanceId();
        if (payload.isTerminating()) {
            clients.remove(id);
            return;
        }
        if (!clients.containsKey(id) && clients.size() >= CLIENTS_MAX) {
            dropped.incrementAndGet();
            return;
        }
        long keptNanos = TimeUnit.MILLISECONDS.toNanos((long) INTERVALS_KEPT * context.pushIntervalMs());
        String clientId = context.authorizableRequestContext().clientId();
        clients.compute(id, (known, before) -> {
            Map<Series, Double> values = before == null ? new ConcurrentHashMap<>() : before.values();
            add(data, values);
            return new Client(clientId, values, nanoTime.getAsLong() + keptNanos);
        });
    }

    private void forgetTheSilent() {
        long now = nanoTime.getAsLong();
        clients.values().removeIf(client -> now - client.forgetAtNanos() > 0);
    }

    private void add(MetricsData data, Map<Series, Double> values) {
        for (ResourceMetrics resource : data.getResourceMetricsList()) {
            for (ScopeMetrics scope : resource.getScopeMetricsList()) {
                for (Metric metric : scope.getMetricsList()) {
                    add(metric, values);
                }
            }
        }
    }

    private void add(Metric metric, Map<Series, Double> values) {
        if (metric.hasGauge()) {
            metric.getGauge().getDataPointsList().forEach(point -> put(values, metric.getName(), point, false));
        } else if (metric.hasSum()) {
            boolean delta =
                    metric.getSum().getAggregationTemporality() == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA;
            metric.getSum().getDataPointsList().forEach(point -> put(values, metric.getName(), point, delta));
        } else {
            dropped.incrementAndGet();
        }
    }

    private void put(Map<Series, Double> values, String metric, NumberDataPoint point, boolean delta) {
        Map<String, String> of = new TreeMap<>();
        for (KeyValue attribute : point.getAttributesList()) {
            of.put(attribute.getKey(), attribute.getValue().getStringValue());
        }
        Series series =
                new Series(metric, of.toString().substring(1, of.toString().length() - 1));
        double value = point.hasAsInt() ? point.getAsInt() : point.getAsDouble();
        if (values.size() >= SERIES_PER_CLIENT_MAX && !values.containsKey(series)) {
            dropped.incrementAndGet();
        } else if (delta) {
            values.merge(series, value, Double::sum);
        } else {
            values.put(series, value);
        }
    }

    /** In the text form that Prometheus reads. */
    public String scrape() {
        forgetTheSilent();
        StringBuilder out = new StringBuilder();
        counter(out, "catchment_client_pushes", "Pushes of client metrics that were taken", pushes.get());
        counter(
                out,
                "catchment_client_metrics_dropped",
                "Values in pushes that were too many, or of a kind that is not kept",
                dropped.get());
        out.append("# HELP ").append(NAME).append(" What clients measure of themselves (KIP-714), the newest value\n");
        out.append("# TYPE ").append(NAME).append(" gauge\n");
        clients.forEach((id, client) -> client.values().forEach((series, value) -> {
            out.append(NAME).append("{metric=\"");
            escape(out, series.metric());
            out.append("\",client_id=\"");
            escape(out, client.clientId());
            out.append("\",client_instance_id=\"").append(id).append("\",of=\"");
            escape(out, series.of());
            out.append("\"} ").append(number(value)).append('\n');
        }));
        return out.toString();
    }

    private static void counter(StringBuilder out, String name, String what, long value) {
        out.append("# HELP ").append(name).append("_total ").append(what).append('\n');
        out.append("# TYPE ").append(name).append("_total counter\n");
        out.append(name).append("_total ").append(value).append('\n');
    }

    private static String number(double value) {
        if (Double.isInfinite(value)) {
            return value > 0 ? "+Inf" : "-Inf";
        }
        return String.format(Locale.ROOT, "%s", value);
    }

    /** Clients choose what stands here. */
    private static void escape(StringBuilder out, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '"' -> out.append("\\\"");
                case '\n' -> out.append("\\n");
                default -> out.append(c);
            }
        }
    }
}
