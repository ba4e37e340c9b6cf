package io.catchment.chaos.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** One Apache Kafka node: shows that a check passes where it should, and what Catchment is compared with. */
public final class KafkaServer implements Server {
    private static final Duration COMMAND = Duration.ofMinutes(5);
    private final Path directory;
    private final int port;

    private KafkaServer(Path directory, int port) {
        this.directory = directory;
        this.port = port;
    }

    public static KafkaServer up(Path directory) {
        var server = new KafkaServer(directory.toAbsolutePath(), freePortPair());
        server.start();
        return server;
    }

    private void run(String command, String... more) {
        List<String> line = new ArrayList<>(List.of(Checkout.kafkaNode().toString(), command, directory.toString()));
        line.addAll(List.of(more));
        Commands.run(COMMAND, Map.of(), line);
    }

    @Override
    public String name() {
        return "Kafka";
    }

    @Override
    public String bootstrap() {
        return "127.0.0.1:" + port;
    }

    @Override
    public long pid() {
        try {
            return Long.parseLong(Files.readString(directory.resolve("pid")).strip());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void kill() {
        run("kill");
    }

    @Override
    public void stop() {
        run("stop");
    }

    @Override
    public void start() {
        run("start", String.valueOf(port));
    }

    @Override
    public Path directory() {
        return directory;
    }

    @Override
    public void close() {
        run("destroy");
    }

    /** The first of two neighbouring ports nobody listens on, below the range of outgoing connections. */
    static int freePortPair() {
        for (int attempt = 0; attempt < 200; attempt++) {
            int port = 10_000 + ThreadLocalRandom.current().nextInt(22_000);
            if (free(port) && free(port + 1)) {
                return port;
            }
        }
        throw new IllegalStateException("no two free ports found");
    }

    private static boolean free(int port) {
        try (var socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
