package io.catchment.broker.node;

import io.catchment.broker.config.NodeConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/** A whole node in this process, on free ports, with its files in a folder that outlives a restart. */
final class RunningNode implements AutoCloseable {
    private final Map<String, String> properties = new HashMap<>();
    private final int port;
    private final AtomicReference<Throwable> fatal = new AtomicReference<>();
    private Node node;

    private RunningNode(Path directory, Map<String, String> overrides) throws Exception {
        int[] ports = freePorts(3);
        port = ports[0];
        properties.put("node.id", "1");
        properties.put("listeners", "PLAINTEXT://127.0.0.1:" + ports[0] + ",CONTROLLER://127.0.0.1:" + ports[1]);
        properties.put("catchment.http.port", Integer.toString(ports[2]));
        properties.put("catchment.dir", directory.resolve("node").toString());
        properties.put(
                "catchment.object.store", directory.resolve("objects").toUri().toString());
        properties.putAll(overrides);
        node = start();
    }

    static RunningNode in(Path directory, Map<String, String> overrides) throws Exception {
        return new RunningNode(directory, overrides);
    }

    String bootstrap() {
        return "127.0.0.1:" + port;
    }

    void stop() {
        node.close();
    }

    void startAgain() throws Exception {
        node = start();
    }

    private Node start() throws Exception {
        Node started = new Node(NodeConfig.of(properties), fatal::set);
        try {
            started.start();
        } catch (Exception e) {
            started.close();
            throw e;
        }
        return started;
    }

    private static int[] freePorts(int count) throws IOException {
        ServerSocket[] sockets = new ServerSocket[count];
        int[] ports = new int[count];
        for (int i = 0; i < count; i++) {
            sockets[i] = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
            ports[i] = sockets[i].getLocalPort();
        }
        for (ServerSocket socket : sockets) {
            socket.close();
        }
        return ports;
    }

    @Override
    public void close() {
        node.close();
        if (fatal.get() != null) {
            throw new AssertionError("the node gave up", fatal.get());
        }
    }
}
