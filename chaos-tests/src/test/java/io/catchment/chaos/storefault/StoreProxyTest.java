package io.catchment.chaos.storefault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.catchment.chaos.cluster.Await;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Before a store of objects in memory. */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class StoreProxyTest {
    private static final byte[] BODY = new byte[1 << 20];

    static {
        new Random(1).nextBytes(BODY);
    }

    private final Map<String, byte[]> objects = new ConcurrentHashMap<>();
    private final Map<String, String> hosts = new ConcurrentHashMap<>();
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private HttpServer server;
    private StoreProxy proxy;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", this::serve);
        server.start();
        proxy = StoreProxy.start(0, server.getAddress(), 1);
    }

    @AfterEach
    void stop() {
        proxy.close();
        server.stop(0);
    }

    private void serve(HttpExchange call) throws IOException {
        String path = call.getRequestURI().getPath();
        hosts.put(path, call.getRequestHeaders().getFirst("Host"));
        byte[] body = call.getRequestBody().readAllBytes();
        switch (call.getRequestMethod()) {
            case "PUT" -> {
                objects.put(path, body);
                call.sendResponseHeaders(200, -1);
            }
            case "DELETE" -> {
                objects.remove(path);
                call.sendResponseHeaders(204, -1);
            }
            default -> {
                byte[] found = objects.get(path);
                call.sendResponseHeaders(found == null ? 404 : 200, found == null ? -1 : found.length);
                if (found != null) {
                    call.getResponseBody().write(found);
                }
            }
        }
        call.close();
    }

    private URI at(String key) {
        return URI.create("http://127.0.0.1:" + proxy.port() + "/bucket/" + key);
    }

    private int put(String key, byte[] body) throws Exception {
        return client.send(
                        HttpRequest.newBuilder(at(key))
                                .PUT(HttpRequest.BodyPublishers.ofByteArray(body))
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    private HttpResponse<byte[]> get(String key) throws Exception {
        return client.send(HttpRequest.newBuilder(at(key)).build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private void fault(String name, RequestKind... kinds) {
        proxy.faults()
                .add(
                        kinds.length == 0
                                ? FaultRule.always(Fault.named(name))
                                : FaultRule.always(Fault.named(name), kinds));
    }

    @Test
    void whatIsWellPassesUnchangedAndIsCounted() throws Exception {
        for (int i = 0; i < 20; i++) {
            byte[] body = Arrays.copyOf(BODY, 1 + i * 50_000);
            assertThat(put("k" + i, body)).isEqualTo(200);
            assertThat(get("k" + i).body()).isEqualTo(body);
        }
        assertThat(get("missing").statusCode()).isEqualTo(404);
        assertThat(hosts.get("/bucket/k0")).isEqualTo("127.0.0.1:" + proxy.port());
        Traffic.Figures figures = proxy.traffic().figures();
        assertThat(figures.requests(RequestKind.PUT)).isEqualTo(20);
        assertThat(figures.requests(RequestKind.GET)).isEqualTo(21);
        assertThat(figures.bytesUp()).isEqualTo(figures.bytesDown()).isEqualTo(20 + 190 * 50_000);
    }

    @Test
    void errorsAreAnsweredForTheStoreAndConnectionsStay() throws Exception {
        fault("slow-down", RequestKind.PUT);
        fault("expired-token", RequestKind.GET);
        for (int i = 0; i < 5; i++) {
            assertThat(put("k", BODY)).isEqualTo(503);
            HttpResponse<byte[]> answer = get("k");
            assertThat(answer.statusCode()).isEqualTo(403);
            assertThat(new String(answer.body(), java.nio.charset.StandardCharsets.UTF_8))
                    .contains("ExpiredToken");
        }
        assertThat(objects).isEmpty();
        proxy.faults().clear();
        assertThat(put("k", BODY)).isEqualTo(200);
    }

    @Test
    void silenceIsNeverAnswered() throws Exception {
        fault("silence");
        var request =
                HttpRequest.newBuilder(at("k")).timeout(Duration.ofMillis(500)).build();
        assertThatThrownBy(() -> client.send(request, HttpResponse.BodyHandlers.discarding()))
                .isInstanceOf(java.net.http.HttpTimeoutException.class);
        Await.until("end of its connection", Duration.ofSeconds(10), () -> proxy.openConnections() == 0);
    }

    @Test
    void connectionsAreResetAtOnceInTheRequestAndInTheAnswer() throws Exception {
        objects.put("/bucket/k", BODY);
        fault("reset", RequestKind.HEAD);
        fault("reset-request", RequestKind.PUT);
        fault("reset-answer", RequestKind.GET);
        var head = HttpRequest.newBuilder(at("k"))
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .build();
        assertThatThrownBy(() -> client.send(head, HttpResponse.BodyHandlers.discarding()))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> put("new", BODY)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> get("k")).isInstanceOf(IOException.class);
        assertThat(objects).doesNotContainKey("/bucket/new");
        proxy.faults().clear();
        assertThat(get("k").body()).isEqualTo(BODY);
    }

    @Test
    void truncatedAnswersEndEarly() throws Exception {
        objects.put("/bucket/k", BODY);
        fault("truncate", RequestKind.GET);
        assertThatThrownBy(() -> get("k")).isInstanceOf(IOException.class);
    }

    @Test
    void exactlyOneBitIsFlipped() throws Exception {
        fault("corrupt-request", RequestKind.PUT);
        put("k", BODY);
        assertThat(differences(objects.get("/bucket/k"))).isOne();
        objects.put("/bucket/k", BODY);
        fault("corrupt-answer", RequestKind.GET);
        assertThat(differences(get("k").body())).isOne();
    }

    private static int differences(byte[] other) {
        int bits = 0;
        for (int i = 0; i < BODY.length; i++) {
            bits += Integer.bitCount((BODY[i] ^ other[i]) & 0xff);
        }
        return bits;
    }

    @Test
    void delayComesBeforeTheAnswerOnly() throws Exception {
        assertThat(put("k", BODY)).isEqualTo(200);
        fault("delay-400", RequestKind.GET);
        long start = System.nanoTime();
        assertThat(get("k").body()).isEqualTo(BODY);
        assertThat(System.nanoTime() - start).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(390));
    }

    @Test
    void linkIsNotFasterThanItsBound() throws Exception {
        long start = System.nanoTime();
        proxy.limitBandwidth(BODY.length);
        put("k", BODY);
        assertThat(get("k").body()).isEqualTo(BODY);
        // a second in each direction, less what the shaper lets pass when a busy machine runs its clock late
        assertThat(System.nanoTime() - start).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(1000));
    }

    @Test
    void storeThatIsAwayRefusesAndComesBackOnTheSamePort() throws Exception {
        put("k", BODY);
        int port = proxy.port();
        proxy.goAway();
        assertThatThrownBy(() -> get("k")).isInstanceOf(IOException.class);
        proxy.comeBack();
        assertThat(proxy.port()).isEqualTo(port);
        assertThat(get("k").body()).isEqualTo(BODY);
    }

    @Test
    void trapsHoldARequestExactlyThere() throws Exception {
        for (Trap.Moment moment : Trap.Moment.values()) {
            AtomicBoolean acted = new AtomicBoolean();
            Trap trap = proxy.faults()
                    .trap(
                            (kind, target, bytes) -> kind == RequestKind.PUT && target.startsWith("/bucket/"),
                            moment,
                            2,
                            port -> acted.set(port > 0));
            assertThat(put("first", BODY)).isEqualTo(200);
            assertThat(trap.sprung()).isFalse();
            var second = client.sendAsync(
                    HttpRequest.newBuilder(at(moment.name()))
                            .PUT(HttpRequest.BodyPublishers.ofByteArray(BODY))
                            .build(),
                    HttpResponse.BodyHandlers.discarding());
            assertThat(trap.await(Duration.ofSeconds(20))).as("%s", moment).isTrue();
            assertThat(acted).isTrue();
            assertThat(objects.containsKey("/bucket/" + moment))
                    .as("%s: the store has it", moment)
                    .isEqualTo(moment == Trap.Moment.STORED || moment == Trap.Moment.ANSWERED);
            if (moment == Trap.Moment.ANSWERED) {
                assertThat(second.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
            } else {
                assertThat(second.isDone()).isFalse();
            }
            proxy.faults().removeTrap();
            proxy.resetAll();
            assertThatThrownBy(() -> {
                        second.get(10, TimeUnit.SECONDS);
                        throw new IOException("answered");
                    })
                    .isInstanceOf(Exception.class);
        }
    }

    @Test
    void sameSeedFailsTheSameRequests() throws Exception {
        StringBuilder first = new StringBuilder();
        StringBuilder second = new StringBuilder();
        for (StringBuilder log : new StringBuilder[] {first, second}) {
            try (StoreProxy seeded = StoreProxy.start(0, server.getAddress(), 42)) {
                seeded.faults()
                        .add(new FaultRule(java.util.Set.of(RequestKind.values()), Fault.named("internal-error"), 0.5));
                for (int i = 0; i < 40; i++) {
                    var request = HttpRequest.newBuilder(
                                    URI.create("http://127.0.0.1:" + seeded.port() + "/bucket/none"))
                            .build();
                    log.append(client.send(request, HttpResponse.BodyHandlers.discarding())
                                    .statusCode())
                            .append(' ');
                }
            }
        }
        assertThat(first.toString()).isEqualTo(second.toString()).contains("500", "404");
    }

    @Test
    void kindsAreToldByMethodAndTarget() {
        assertThat(RequestKind.of("PUT", "/b/k?partNumber=1&uploadId=x")).isEqualTo(RequestKind.PUT);
        assertThat(RequestKind.of("POST", "/b/k?uploads")).isEqualTo(RequestKind.PUT);
        assertThat(RequestKind.of("POST", "/b?delete")).isEqualTo(RequestKind.DELETE);
        assertThat(RequestKind.of("DELETE", "/b/k")).isEqualTo(RequestKind.DELETE);
        assertThat(RequestKind.of("GET", "/b/k")).isEqualTo(RequestKind.GET);
        assertThat(RequestKind.of("GET", "/b?list-type=2&prefix=x%2Fy")).isEqualTo(RequestKind.LIST);
        assertThat(RequestKind.of("GET", "/b/?list-type=2")).isEqualTo(RequestKind.LIST);
        assertThat(RequestKind.of("HEAD", "/b/k")).isEqualTo(RequestKind.HEAD);
    }

    @Test
    void scriptsSwitchItByHttp() throws Exception {
        try (ProxyControl control = new ProxyControl(proxy, 0)) {
            String base = "http://127.0.0.1:" + control.port();
            assertThat(ask(base + "/fault?name=internal-error&kinds=PUT")).isEqualTo("200 ok\n");
            assertThat(put("k", BODY)).isEqualTo(500);
            assertThat(ask(base + "/traffic")).contains("\"failed\":{\"PUT\":1}");
            ask(base + "/away");
            assertThatThrownBy(() -> put("k", BODY)).isInstanceOf(IOException.class);
            ask(base + "/clear");
            assertThat(put("k", BODY)).isEqualTo(200);
            assertThat(ask(base + "/fault?name=nonsense")).startsWith("400 no fault is named nonsense");
        }
    }

    private String ask(String uri) throws Exception {
        HttpResponse<String> answer = client.send(
                HttpRequest.newBuilder(URI.create(uri))
                        .POST(HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        return answer.statusCode() + " " + answer.body();
    }
}
