package io.catchment.chaos.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Apache Kafka nodes, each broker and controller: shows that a check passes where it should, and what Catchment is compared with. Three
 * nodes keep three replicas and want two in sync.
 */
public final class KafkaCluster implements Cluster {
    private static final Duration COMMAND = Duration.ofMinutes(5);
    private final Path directory;
    private final CloseOnExit atExit;
    /** Node number to its port; the controller's is the next one. */
    private final Map<Integer, Integer> ports = new TreeMap<>();
    /** The first nodes: brokers and controllers. Those that are added are brokers. */
    private final Map<Integer, Integer> voters = new TreeMap<>();

    private KafkaCluster(Path directory) {
        this.directory = directory;
        this.atExit = new CloseOnExit(this);
    }

    /** Creates and starts the nodes on free ports; returns when all accept connections. */
    public static KafkaCluster up(Path directory, int nodes) {
        var cluster = new KafkaCluster(directory.toAbsolutePath());
        while (cluster.ports.size() < nodes) {
            cluster.give(cluster.ports.size() + 1);
        }
        cluster.voters.putAll(cluster.ports);
        cluster.startAll();
        return cluster;
    }

    private void give(int node) {
        while (!ports.containsKey(node)) {
            int port = FreePorts.pair();
            if (ports.values().stream().noneMatch(other -> Math.abs(other - port) < 2)) {
                ports.put(node, port);
            }
        }
    }

    private void run(String command, int node) {
        String quorum = voters.entrySet().stream()
                .map(entry -> entry.getKey() + "@127.0.0.1:" + (entry.getValue() + 1))
                .collect(Collectors.joining(","));
        Commands.run(
                COMMAND,
                Map.of("KAFKA_NODE_ID", String.valueOf(node), "KAFKA_NODE_VOTERS", quorum),
                List.of(
                        Checkout.kafkaNode().toString(),
                        command,
                        folder(node).toString(),
                        String.valueOf(ports.get(node))));
    }

    private Path folder(int node) {
        return directory.resolve("node-" + node);
    }

    @Override
    public String name() {
        return "Kafka";
    }

    @Override
    public String bootstrap() {
        return ports.values().stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
    }

    @Override
    public List<Integer> nodes() {
        return new ArrayList<>(ports.keySet());
    }

    @Override
    public long pid(int node) {
        try {
            return Long.parseLong(Files.readString(folder(node).resolve("pid")).strip());
        } catch (IOException e) {
            throw new IllegalStateException("node " + node + " does not run", e);
        }
    }

    @Override
    public boolean running(int node) {
        return Files.exists(folder(node).resolve("pid"));
    }

    @Override
    public void kill(Collection<Integer> nodes) {
        Signals.kill(nodes.stream().map(this::pid).toList());
        nodes.forEach(node -> run("kill", node));
    }

    @Override
    public void stop(int node) {
        run("stop", node);
    }

    @Override
    public void start(int node) {
        run("start", node);
    }

    @Override
    public void startAll() {
        nodes().forEach(node -> run("launch", node));
        nodes().forEach(node -> run("start", node));
    }

    @Override
    public void pause(int node) {
        Signals.pause(pid(node));
    }

    @Override
    public void resume(int node) {
        Signals.resume(pid(node));
    }

    @Override
    public void wipe(int node) {
        run("wipe", node);
    }

    /** A further broker, which is given replicas by a reassignment: Apache Kafka moves nothing by itself. */
    @Override
    public int add() {
        int node = nodes().get(nodes().size() - 1) + 1;
        give(node);
        start(node);
        KafkaReplicas.spread(bootstrap(), nodes());
        return node;
    }

    /** A further broker, after its replicas have been given to the others. */
    @Override
    public void remove(int node) {
        List<Integer> others = nodes().stream().filter(other -> other != node).toList();
        KafkaReplicas.spread(bootstrap(), others);
        stop(node);
        run("destroy", node);
        ports.remove(node);
    }

    /** Of a node's records and indexes, as they are on its disk. */
    public long dataBytes(int node) {
        return FileTree.bytes(folder(node).resolve("data"));
    }

    @Override
    public Path directory() {
        return directory;
    }

    @Override
    public void close() {
        atExit.done();
        nodes().forEach(node -> run("destroy", node));
    }
}
