package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.config.NodeConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/** A whole node in this process, on free ports, with its files in a directory that outlives it. Used by one thread. */
final class LocalNode implements AutoCloseable {
    private final Map<String, String> properties;
    private final String bootstrap;
    private final Queue<Throwable> fatal = new ConcurrentLinkedQueue<>();
    private Node node;

    private LocalNode(Map<String, String> properties, String bootstrap) throws Exception {
        this.properties = properties;
        this.bootstrap = bootstrap;
        this.node = run();
    }

    /** @param settings over those that a node must have */
    static LocalNode start(Path directory, Map<String, String> settings) throws Exception {
        Map<String, String> properties = properties(directory, settings);
        return new LocalNode(properties, bootstrap(properties));
    }

    /** A new cluster from the object store of another one. */
    static LocalNode recover(Path directory, Map<String, String> settings) throws Exception {
        Map<String, String> properties = properties(directory, settings);
        assertThat(CatchmentRecovery.recover(NodeConfig.of(properties))).isZero();
        return new LocalNode(properties, bootstrap(properties));
    }

    private static String bootstrap(Map<String, String> properties) {
        String listeners = properties.get("listeners");
        return listeners.substring("PLAINTEXT://".length(), listeners.indexOf(','));
    }

    private static Map<String, String> properties(Path directory, Map<String, String> settings) throws IOException {
        List<Integer> ports = freePorts(3);
        Map<String, String> properties = new HashMap<>(Map.of(
                "node.id",
                "1",
                "catchment.dir",
                directory.resolve("node").toString(),
                "catchment.object.store",
                directory.resolve("objects").toUri().toString(),
                "listeners",
                "PLAINTEXT://127.0.0.1:" + ports.get(0) + ",CONTROLLER://127.0.0.1:" + ports.get(1),
                "catchment.http.port",
                Integer.toString(ports.get(2)),
                "catchment.wal.extent.bytes",
                Integer.toString(8 << 20),
                "catchment.wal.reserve.bytes",
                "0",
                "group.initial.rebalance.delay.ms",
                "0"));
        properties.putAll(settings);
        return properties;
    }

    private Node run() throws Exception {
        Node started = new Node(NodeConfig.of(properties), fatal::add);
        try {
            started.start();
        } catch (Exception e) {
            started.close();
            throw e;
        }
        return started;
    }

    /** A graceful stop and a start with the same files and addresses. */
    void restart() throws Exception {
        restart(() -> {});
    }

    /** What happens to the files of a node that does not run. */
    interface Meanwhile {
        void run() throws Exception;
    }

    void restart(Meanwhile meanwhile) throws Exception {
        close();
        meanwhile.run();
        node = run();
    }

    /** Of a counter, all its series together; its name as in the code. */
    double metric(String counter) throws Exception {
        return sum(counter.replace('.', '_') + "_total");
    }

    /** Of a gauge, all its series together; its name as in the code. */
    double gauge(String gauge) throws Exception {
        return sum(gauge.replace('.', '_'));
    }

    private double sum(String name) throws Exception {
        List<Double> values = http("/metrics")
                .lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .map(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .toList();
        if (values.isEmpty()) {
            throw new AssertionError("no metric " + name);
        }
        return values.stream().mapToDouble(Double::doubleValue).sum();
    }

    String http(String path) throws Exception {
        return http(path, "GET");
    }

    String http(String path, String method) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + properties.get("catchment.http.port") + path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofString())
                .body();
    }

    String bootstrap() {
        return bootstrap;
    }

    int port() {
        return Integer.parseInt(bootstrap.substring(bootstrap.indexOf(':') + 1));
    }

    int controllerPort() {
        String listeners = properties.get("listeners");
        return Integer.parseInt(listeners.substring(listeners.lastIndexOf(':') + 1));
    }

    /** Why it gave up, once; null while it goes on. */
    @Nullable
    Throwable gaveUp() {
        return fatal.poll();
    }

    @Override
    public void close() {
        node.close();
        if (!fatal.isEmpty()) {
            throw new AssertionError("The node gave up", fatal.peek());
        }
    }

    static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> held = new ArrayList<>();
        List<Integer> ports = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                held.add(socket);
                ports.add(socket.getLocalPort());
            }
        } finally {
            for (ServerSocket socket : held) {
                socket.close();
            }
        }
        return ports;
    }
}
