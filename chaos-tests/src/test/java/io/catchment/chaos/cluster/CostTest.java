package io.catchment.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code catchment cost} with two nodes that only have metrics. */
class CostTest {
    private static final String FIRST = """
            # HELP catchment_wal_appended_bytes_total x
            catchment_wal_appended_bytes_total{lane="normal"} 1.5E9
            catchment_wal_appended_bytes_total{lane="urgent"} 5.0E8
            catchment_object_billed_requests_total{operation="put",outcome="ok"} 40.0
            catchment_object_billed_requests_total{operation="put",outcome="throttled"} 1000.0
            catchment_object_billed_requests_total{operation="get",outcome="ok"} 100.0
            catchment_object_billed_requests_total{operation="get",outcome="not_found"} 20.0
            catchment_object_transferred_bytes_total{operation="put",outcome="ok"} 2.0E9
            catchment_object_transferred_bytes_total{operation="get",outcome="ok"} 1.0E9
            catchment_catalog_object_bytes{phase="published"} 3.0E9
            catchment_catalog_object_bytes{phase="doomed"} 1.0E9
            """;
    private static final String SECOND = """
            catchment_wal_appended_bytes_total{lane="normal"} 2.0E9
            catchment_object_billed_requests_total{operation="put",outcome="ok"} 60.0
            catchment_object_billed_requests_total{operation="list",outcome="ok"} 10.0
            catchment_object_billed_requests_total{operation="delete",outcome="ok"} 5.0
            catchment_object_transferred_bytes_total{operation="put",outcome="ok"} 3.0E9
            catchment_catalog_object_bytes{phase="published"} 3.0E9
            catchment_catalog_object_bytes{phase="doomed"} 1.0E9
            """;
    private static final String PRICES = """
            put.per.1000=0.01
            list.per.1000 = 0.02
            get.per.1000=0.001
            delete.per.1000=0
            upload.per.gb=0.1
            download.per.gb=0.2
            storage.per.gb.month=0.03
            gb.bytes=1000000000
            """;

    @TempDir
    private Path folder;

    private final List<HttpServer> servers = new ArrayList<>();
    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void end() {
        servers.forEach(server -> server.stop(0));
        processes.forEach(Process::destroyForcibly);
    }

    /** A process with the node's configuration file among its arguments, and its metrics on its port. */
    private void node(int number, String metrics) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        server.createContext("/metrics", call -> {
            byte[] body = metrics.getBytes(StandardCharsets.UTF_8);
            call.sendResponseHeaders(200, body.length);
            call.getResponseBody().write(body);
            call.close();
        });
        server.start();
        servers.add(server);
        Path node = Files.createDirectories(folder.resolve("node-" + number));
        Path properties = node.resolve("node.properties");
        Files.writeString(
                properties,
                "advertised.listeners=PLAINTEXT://127.0.0.1:1\ncatchment.http.port="
                        + server.getAddress().getPort() + "\n");
        Process process = new ProcessBuilder(
                        "bash",
                        "-c",
                        "while :; do sleep 1; done",
                        properties.toRealPath().toString())
                .start();
        processes.add(process);
        Files.writeString(node.resolve("pid"), process.pid() + "\n");
    }

    private String cost(String... options) throws IOException {
        Files.writeString(folder.resolve(".catchment-cluster"), "");
        List<String> line =
                new ArrayList<>(List.of(Checkout.launcher().toString(), "cost", "--dir", folder.toString()));
        line.addAll(List.of(options));
        return Commands.run(Duration.ofMinutes(1), Map.of("CATCHMENT_BUILD", "never"), line);
    }

    private String prices(String text) throws IOException {
        return Files.writeString(folder.resolve("prices"), text).toString();
    }

    @Test
    void requestsTransferAndStorageAreWeighedWithTheirPrices() throws IOException {
        node(1, FIRST);
        node(2, SECOND);
        // 100 puts 0.001, 10 lists 0.0002, 120 gets 0.00012, 5 GB up 0.5, 1 GB down 0.2: 0.70132 USD for 0.004 TB
        assertThat(cost("--prices", prices(PRICES), "--json").strip())
                .isEqualTo("{\"nodes\":2,\"ingestedBytes\":4000000000,\"putRequests\":100,\"listRequests\":10,"
                        + "\"getRequests\":120,\"deleteRequests\":5,\"uploadedBytes\":5000000000,"
                        + "\"downloadedBytes\":1000000000,\"storedBytes\":4000000000,\"usdPerTbIngested\":175.330000,"
                        + "\"usdPerMonthStored\":0.120000,\"usdPerTbStoredMonth\":30.000000}");
        assertThat(cost("--prices", prices(PRICES)))
                .contains("2 nodes have ingested 4000000000 bytes")
                .contains("100 requests x 0.01 USD per 1000 = 0.001000 USD, 0.2500 USD per TB")
                .contains("0.701320 USD / 0.004000 TB = 175.3300 USD per TB ingested")
                .contains(
                        "a GB ingested: 25.00 put, 30.00 get, 2.50 list, 1.25 delete requests, 1.250 GB up, 0.250 GB down")
                .contains("0.120000 USD per month");
    }

    @Test
    void examplePricesAreComplete() throws IOException {
        node(1, FIRST);
        Path example = Checkout.launcher().resolve("../../conf/prices.example").normalize();
        assertThat(cost("--prices", example.toString())).contains("1 nodes have ingested 2000000000 bytes");
    }

    @Test
    void whatIsMissingIsNamed() throws IOException {
        assertThatThrownBy(() -> cost()).hasMessageContaining("--prices FILE");
        assertThatThrownBy(() -> cost("--prices", prices(PRICES))).hasMessageContaining("no node answers");
        node(1, FIRST);
        assertThatThrownBy(() -> cost("--prices", prices(PRICES.replace("get.per.1000=0.001", "get.per.1000=much"))))
                .hasMessageContaining("lacks a number for get.per.1000");
        node(2, "nothing 1\n");
        assertThat(cost("--prices", prices(PRICES))).contains("2000000000 bytes");
    }
}
