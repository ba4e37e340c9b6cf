package io.catchment.broker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.telemetry.ClientTelemetryContext;
import org.apache.kafka.server.telemetry.ClientTelemetryPayload;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.AnyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.KeyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Gauge;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Sum;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PushedMetricsTest {
    private static final int INTERVAL_MS = 1_000;

    private long nowNanos = 1;
    private final PushedMetrics pushed = new PushedMetrics(() -> nowNanos);
    private final Uuid ship = new Uuid(1, 1);

    @Test
    void gaugesAreReplacedAndSumsAddedUp() {
        push(ship, "ship", false, gauge("latency", 5).build(), sum("sent", 3).build());
        push(ship, "ship", false, gauge("latency", 2).build(), sum("sent", 4).build());
        assertThat(lines())
                .contains("catchment_client_metric{metric=\"latency\",client_id=\"ship\",client_instance_id=\"" + ship
                        + "\",of=\"topic=t\"} 2.0")
                .contains("{metric=\"sent\",client_id=\"ship\",client_instance_id=\"" + ship + "\",of=\"topic=t\"} 7.0")
                .contains("catchment_client_pushes_total 2\n");
    }

    @Test
    void aClientIsForgottenWhenItSaysGoodbyeAndWhenItIsSilent() {
        push(ship, "ship", false, gauge("a", 1).build());
        push(ship, "ship", true, gauge("a", 1).build());
        assertThat(lines()).doesNotContain("metric=\"a\"");

        push(ship, "ship", false, gauge("b", 1).build());
        nowNanos += TimeUnit.MILLISECONDS.toNanos(3 * INTERVAL_MS);
        assertThat(lines()).contains("metric=\"b\"");
        nowNanos += TimeUnit.MILLISECONDS.toNanos(INTERVAL_MS);
        assertThat(lines()).doesNotContain("metric=\"b\"");
    }

    @Test
    void namesThatClientsChooseCannotBreakTheText() {
        push(ship, "a\"b\\c\nd", false, gauge("x", 1).build());
        assertThat(lines()).contains("client_id=\"a\\\"b\\\\c\\nd\"");
    }

    @Test
    void whatIsTooMuchIsDroppedAndCounted() {
        Metric[] many = new Metric[PushedMetrics.SERIES_PER_CLIENT_MAX + 10];
        for (int i = 0; i < many.length; i++) {
            many[i] = gauge("m" + i, i).build();
        }
        push(ship, "ship", false, many);
        assertThat(lines().lines().filter(line -> line.startsWith("catchment_client_metric{")))
                .hasSize(PushedMetrics.SERIES_PER_CLIENT_MAX);
        assertThat(lines()).contains("catchment_client_metrics_dropped_total 10\n");

        for (int i = 0; i < PushedMetrics.CLIENTS_MAX; i++) {
            push(new Uuid(2, i), "c", false, gauge("one", i).build());
        }
        assertThat(lines().lines().filter(line -> line.startsWith("catchment_client_metric{metric=\"one\"")))
                .hasSize(PushedMetrics.CLIENTS_MAX - 1);
    }

    @Test
    void aClientWithoutANameDoesNotSpoilTheText() {
        push(ship, null, false, gauge("x", 1).build());
        assertThat(lines()).contains("{metric=\"x\",client_id=\"\",client_instance_id=\"" + ship + "\"");
    }

    /** A megabyte each, from as many clients as may push: their names alone would fill the heap. */
    @Test
    void whatClientsNameTheirMetricsIsBounded() {
        String endless = "n".repeat(1 << 20);
        push(ship, "ship", false, gauge(endless, 1).build(), gauge("short", 2).build());
        assertThat(lines().contains("nnnn")).isFalse();
        assertThat(lines()).contains("metric=\"short\"");
        assertThat(lines()).contains("catchment_client_metrics_dropped_total 1\n");
        push(
                new Uuid(3, 3),
                "c".repeat(PushedMetrics.NAME_LENGTH_MAX + 1),
                false,
                gauge("x", 1).build());
        assertThat(lines()).contains("catchment_client_metrics_dropped_total 2\n");
    }

    @Test
    void allClientsTogetherHaveBoundedMemoryWhichTheyGiveBack() {
        String longest = "n".repeat(PushedMetrics.NAME_LENGTH_MAX - 3);
        Metric[] many = new Metric[PushedMetrics.SERIES_PER_CLIENT_MAX];
        for (int i = 0; i < many.length; i++) {
            many[i] = gauge(longest + i, i).build();
        }
        int clients = 2 * (int) (PushedMetrics.BYTES_MAX / (2L * longest.length() * many.length));
        for (int i = 0; i < clients; i++) {
            push(new Uuid(2, i), "c", false, many);
        }
        Uuid last = new Uuid(2, clients - 1);
        String all = lines();
        assertThat(all.length()).isLessThan((int) PushedMetrics.BYTES_MAX);
        assertThat(all.contains(last.toString())).isFalse();

        push(new Uuid(2, 0), "c", true);
        nowNanos += TimeUnit.MILLISECONDS.toNanos(4 * INTERVAL_MS);
        push(last, "c", false, many);
        assertThat(lines().lines().filter(line -> line.contains(last.toString())))
                .hasSize(PushedMetrics.SERIES_PER_CLIENT_MAX);
    }

    @Test
    void whatIsNoMetricsDataIsRefused() {
        assertThatThrownBy(() -> pushed.exportMetrics(
                        context("ship"), payload(ship, false, ByteBuffer.wrap(new byte[] {-1, -1, -1}))))
                .isInstanceOf(InvalidRequestException.class);
    }

    private String lines() {
        return pushed.scrape();
    }

    private void push(Uuid client, @Nullable String clientId, boolean last, Metric... metrics) {
        ScopeMetrics.Builder scope = ScopeMetrics.newBuilder();
        for (Metric metric : metrics) {
            scope.addMetrics(metric);
        }
        MetricsData data = MetricsData.newBuilder()
                .addResourceMetrics(ResourceMetrics.newBuilder().addScopeMetrics(scope))
                .build();
        pushed.exportMetrics(context(clientId), payload(client, last, ByteBuffer.wrap(data.toByteArray())));
    }

    private static Metric.Builder gauge(String name, double value) {
        return Metric.newBuilder().setName(name).setGauge(Gauge.newBuilder().addDataPoints(point(value)));
    }

    private static Metric.Builder sum(String name, double delta) {
        return Metric.newBuilder()
                .setName(name)
                .setSum(Sum.newBuilder()
                        .setAggregationTemporality(AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA)
                        .addDataPoints(point(delta)));
    }

    private static NumberDataPoint.Builder point(double value) {
        return NumberDataPoint.newBuilder()
                .setAsDouble(value)
                .addAttributes(KeyValue.newBuilder()
                        .setKey("topic")
                        .setValue(AnyValue.newBuilder().setStringValue("t")));
    }

    private static ClientTelemetryContext context(@Nullable String clientId) {
        RequestContext request = new RequestContext(
                new RequestHeader(ApiKeys.PUSH_TELEMETRY, (short) 0, clientId, 1),
                "connection",
                InetAddress.getLoopbackAddress(),
                KafkaPrincipal.ANONYMOUS,
                new ListenerName("PLAINTEXT"),
                SecurityProtocol.PLAINTEXT,
                ClientInformation.EMPTY,
                false);
        return new ClientTelemetryContext() {
            @Override
            public int pushIntervalMs() {
                return INTERVAL_MS;
            }

            @Override
            public AuthorizableRequestContext authorizableRequestContext() {
                return request;
            }
        };
    }

    private static ClientTelemetryPayload payload(Uuid client, boolean last, ByteBuffer bytes) {
        return new ClientTelemetryPayload() {
            @Override
            public Uuid clientInstanceId() {
                return client;
            }

            @Override
            public boolean isTerminating() {
                return last;
            }

            @Override
            public String contentType() {
                return "OTLP";
            }

            @Override
            public ByteBuffer data() {
                return bytes;
            }
        };
    }
}
