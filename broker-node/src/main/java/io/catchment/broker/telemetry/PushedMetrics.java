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
import org.jspecify.annotations.Nullable;

/**
 * The newest values that clients have pushed, as lines for whoever scrapes this node: gauges as they are, sums added up. Thread-safe. Bounded, also
 * by the length of the names, which clients choose: what would be too much is counted and dropped; a client is forgotten when it says goodbye, or
 * after three of its intervals.
 */
public final class PushedMetrics implements ClientTelemetryExporter {
    static final int CLIENTS_MAX = 1_000;
    static final int SERIES_PER_CLIENT_MAX = 500;
    /** Of a client's name, of a metric's, and of what that is measured of; longer ones are dropped. */
    static final int NAME_LENGTH_MAX = 1_000;
    /** Of all series together, with their names: it bounds what a scrape makes of them, too. */
    static final long BYTES_MAX = 32 << 20;

    /** Of one series without its names. */
    private static final int SERIES_BYTES = 200;

    private static final int INTERVALS_KEPT = 3;
    private static final String NAME = "catchment_client_metric";

    private final Map<Uuid, Client> clients = new ConcurrentHashMap<>();
    private final AtomicLong pushes = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final LongSupplier nanoTime;

    /** One series of a client: what is measured, and of what (topic, node …) as {@code key=value} pairs. */
    private record Series(String metric, String of) {}

    /** Compared by identity: whoever forgets one must not forget what came meanwhile. */
    private static final class Client {
        private final String clientId;
        private final Map<Series, Double> values;
        private final AtomicLong bytes;
        private final long forgetAtNanos;

        Client(String clientId, Map<Series, Double> values, AtomicLong bytes, long forgetAtNanos) {
            this.clientId = clientId;
            this.values = values;
            this.bytes = bytes;
            this.forgetAtNanos = forgetAtNanos;
        }

        /** With the same series. */
        Client until(long nanos) {
            return new Client(clientId, values, bytes, nanos);
        }

        /** The client's own name is on each line. */
        long bytesOf(Series series) {
            return SERIES_BYTES + 2L * (series.metric().length() + series.of().length() + clientId.length());
        }
    }

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
            Client known = clients.get(id);
            if (known != null) {
                forget(id, known);
            }
            return;
        }
        // On the wire it may be left out
        @Nullable String named = context.authorizableRequestContext().clientId();
        String clientId = named == null ? "" : named;
        if (clientId.length() > NAME_LENGTH_MAX || (!clients.containsKey(id) && clients.size() >= CLIENTS_MAX)) {
            dropped.incrementAndGet();
            return;
        }
        long keptNanos = TimeUnit.MILLISECONDS.toNanos((long) INTERVALS_KEPT * context.pushIntervalMs());
        clients.compute(id, (known, before) -> {
            Client client =
                    before == null ? new Client(clientId, new ConcurrentHashMap<>(), new AtomicLong(), 0) : before;
            add(data, client);
            return client.until(nanoTime.getAsLong() + keptNanos);
        });
    }

    private void forgetTheSilent() {
        long now = nanoTime.getAsLong();
        clients.forEach((id, client) -> {
            if (now - client.forgetAtNanos > 0) {
                forget(id, client);
            }
        });
    }

    private void forget(Uuid id, Client client) {
        if (clients.remove(id, client)) {
            bytes.addAndGet(-client.bytes.get());
        }
    }

    private void add(MetricsData data, Client client) {
        for (ResourceMetrics resource : data.getResourceMetricsList()) {
            for (ScopeMetrics scope : resource.getScopeMetricsList()) {
                for (Metric metric : scope.getMetricsList()) {
                    add(metric, client);
                }
            }
        }
    }

    private void add(Metric metric, Client client) {
        if (metric.hasGauge()) {
            metric.getGauge().getDataPointsList().forEach(point -> put(client, metric.getName(), point, false));
        } else if (metric.hasSum()) {
            boolean delta =
                    metric.getSum().getAggregationTemporality() == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA;
            metric.getSum().getDataPointsList().forEach(point -> put(client, metric.getName(), point, delta));
        } else {
            dropped.incrementAndGet();
        }
    }

    private void put(Client client, String metric, NumberDataPoint point, boolean delta) {
        Map<String, String> of = new TreeMap<>();
        for (KeyValue attribute : point.getAttributesList()) {
            of.put(attribute.getKey(), attribute.getValue().getStringValue());
        }
        Series series =
                new Series(metric, of.toString().substring(1, of.toString().length() - 1));
        double value = point.hasAsInt() ? point.getAsInt() : point.getAsDouble();
        if (!client.values.containsKey(series) && !takes(client, series)) {
            dropped.incrementAndGet();
        } else if (delta) {
            client.values.merge(series, value, Double::sum);
        } else {
            client.values.put(series, value);
        }
    }

    /** One series more of the client; it counts from now on. */
    private boolean takes(Client client, Series series) {
        if (client.values.size() >= SERIES_PER_CLIENT_MAX
                || series.metric().length() > NAME_LENGTH_MAX
                || series.of().length() > NAME_LENGTH_MAX) {
            return false;
        }
        long more = client.bytesOf(series);
        if (bytes.addAndGet(more) > BYTES_MAX) {
            bytes.addAndGet(-more);
            return false;
        }
        client.bytes.addAndGet(more);
        return true;
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
        clients.forEach((id, client) -> client.values.forEach((series, value) -> {
            out.append(NAME).append("{metric=\"");
            escape(out, series.metric());
            out.append("\",client_id=\"");
            escape(out, client.clientId);
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
