package io.catchment.broker.observe;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.network.EventLoops;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The node's paths over a real socket. */
class HttpServerTest {
    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final Readiness readiness = new Readiness();
    private final NodeMetrics metrics = new NodeMetrics();
    private final EventLoops loops = EventLoops.create(2);
    private HttpServer server;

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        NodeRoutes.add(server, metrics, readiness, loops.all());
    }

    @AfterEach
    void stop() {
        server.close();
        metrics.close();
        loops.close();
    }

    private HttpResponse<String> get(String path) throws Exception {
        return send("GET", path);
    }

    private HttpResponse<String> send(String method, String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .timeout(Duration.ofSeconds(20))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void readyOnlyWhenEveryConditionIsMetAndSaysWhyNot() throws Exception {
        Readiness.Condition registered = readiness.condition("control plane", "not registered yet");
        String[] disk = {"disk \"full\""};
        readiness.condition("wal", () -> disk[0]);
        HttpResponse<String> answer = get("/readyz");
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body())
                .isEqualTo(
                        "{\"ready\":false,\"conditions\":{\"control plane\":{\"met\":false,\"reason\":\"not registered yet\"},"
                                + "\"wal\":{\"met\":false,\"reason\":\"disk \\\"full\\\"\"}}}\n");
        registered.met();
        disk[0] = "";
        answer = get("/readyz");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).startsWith("{\"ready\":true");
        registered.unmet("lease lost");
        assertThat(get("/readyz").statusCode()).isEqualTo(503);
        assertThat(readiness.unmet())
                .containsEntry("control plane", "lease lost")
                .hasSize(1);
    }

    @Test
    void healthyWhileTheEventLoopsAnswer() throws Exception {
        assertThat(get("/healthz").statusCode()).isEqualTo(200);
        CountDownLatch stuck = new CountDownLatch(1);
        loops.all().get(0).execute(() -> {
            try {
                stuck.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        HttpResponse<String> answer = get("/healthz");
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).contains("1 of 2 event loops did not answer");
        stuck.countDown();
        assertThat(get("/healthz").statusCode()).isEqualTo(200);
    }

    @Test
    void metricsAreInPrometheusText() throws Exception {
        HttpResponse<String> answer = get("/metrics");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain; version=0.0.4"));
        assertThat(answer.body()).contains("# TYPE jvm_memory_used_bytes gauge").contains("process_uptime_seconds");
    }

    @Test
    void whatIsNotThereIsToldWithWhatIs() throws Exception {
        HttpResponse<String> answer = get("/nothing");
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body()).contains("/healthz /metrics /readyz");
        assertThat(send("POST", "/metrics").statusCode()).isEqualTo(405);
        HttpResponse<String> head = send("HEAD", "/healthz");
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
    }

    @Test
    void routesGetTheQueryAndTheirFailuresBecome500() throws Exception {
        server.route(
                "/admin/",
                call -> CompletableFuture.completedFuture(HttpRoute.Answer.json(
                        200, Json.quote(call.path() + call.query().get("x")))));
        server.route("/bad", call -> {
            throw new IllegalStateException("expected by this test");
        });
        server.route("/later", call -> CompletableFuture.failedFuture(new IOException("expected by this test")));
        assertThat(get("/admin/topics/a?x=1&x=2").body()).isEqualTo("\"/admin/topics/a[1, 2]\"");
        assertThat(get("/bad").statusCode()).isEqualTo(500);
        assertThat(get("/later").statusCode()).isEqualTo(500);
        assertThat(get("/healthz").statusCode()).isEqualTo(200);
    }

    @Test
    void requestsThatComeTogetherAreAnsweredOneAfterTheOther() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CompletableFuture<HttpRoute.Answer> slow = new CompletableFuture<>();
        AtomicInteger others = new AtomicInteger();
        server.route("/slow", call -> {
            asked.countDown();
            return slow;
        });
        server.route("/fast", call -> {
            others.incrementAndGet();
            return CompletableFuture.completedFuture(HttpRoute.Answer.text(200, "fast"));
        });
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(20_000);
            String request = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "GET /fast HTTP/1.1\r\nHost: x\r\n\r\n".repeat(9)
                    + "GET /fast HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(US_ASCII));
            assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();
            // by the same thread, which has by then looked at all that had come
            assertThat(get("/healthz").statusCode()).isEqualTo(200);
            assertThat(others).hasValue(0);
            slow.complete(HttpRoute.Answer.text(200, "slow"));
            String all = new String(socket.getInputStream().readAllBytes(), US_ASCII);
            assertThat(all.indexOf("slow")).isPositive().isLessThan(all.indexOf("fast"));
            assertThat(all.split("fast", -1)).hasSize(11);
        }
    }

    @Test
    void aBodyInPartsReachesItsRouteWhole() throws Exception {
        server.route(
                "/echo",
                call -> CompletableFuture.completedFuture(new HttpRoute.Answer(200, "text/plain", call.body())));
        byte[] body = "0123456789".repeat(20_000).getBytes(US_ASCII);
        for (int round = 0; round < 2; round++) {
            HttpResponse<byte[]> answer = client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/echo"))
                            .timeout(Duration.ofSeconds(20))
                            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            assertThat(answer.body()).isEqualTo(body);
        }
    }

    @Test
    void garbageIsAnsweredWith400() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write("\u0001\u0002 garbage\r\n\r\n".getBytes(US_ASCII));
            byte[] answer = socket.getInputStream().readNBytes(12);
            assertThat(new String(answer, US_ASCII)).isEqualTo("HTTP/1.1 400");
        }
    }

    @Test
    void jsonQuotesEverythingThatNeedsIt() {
        assertThat(Json.quote("a\"b\\c\n\t\u0001ü😀\ud83d")).isEqualTo("\"a\\\"b\\\\c\\n\\t\\u0001ü😀\\ud83d\"");
    }
}
