package io.catchment.chaos.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An S3 server (s3proxy over a directory, signatures enforced) as a process of its own: the one the object store's tests embed. Taken
 * away by kill -9.
 */
public final class S3ObjectStore implements ObjectStoreServer {
    private static final String MAIN = "io.catchment.objectstore.testing.EmbeddedS3";
    public static final String ACCESS_KEY_ID = "local-identity";
    public static final String SECRET_ACCESS_KEY = "local-credential";
    private static final String PROBE = "io.catchment.objectstore.testing.PutProbe";
    /** One that stands for another machine gets little of a busy one. */
    private static final Duration START = Duration.ofMinutes(2);

    private final Path directory;
    private final int port;
    private final int nice;
    private @Nullable Process process;

    private S3ObjectStore(Path directory, int port, int nice) {
        this.directory = directory;
        this.port = port;
        this.nice = nice;
    }

    public static S3ObjectStore create(Path directory) throws IOException {
        return create(directory, 0);
    }

    /** @param nice of its process, which stands for another machine */
    public static S3ObjectStore create(Path directory, int nice) throws IOException {
        Files.createDirectories(directory);
        var store = new S3ObjectStore(directory.toAbsolutePath(), FreePorts.pair(), nice);
        store.giveBack();
        return store;
    }

    @Override
    public String uri() {
        return uri(port) + "&access-key-id=" + ACCESS_KEY_ID + "&secret-access-key=" + SECRET_ACCESS_KEY;
    }

    /** By way of another port, and without the keys. */
    public static String uri(int port) {
        return "s3://catchment/chaos?endpoint=http://127.0.0.1:" + port
                + "&region=us-east-1&path-style=true&multipart-bytes=268435456";
    }

    public int port() {
        return port;
    }

    @Override
    public void takeAway() {
        Process running = process;
        if (running == null) {
            return;
        }
        process = null;
        running.destroyForcibly();
        try {
            if (!running.waitFor(10, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the S3 server did not die");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void giveBack() {
        Path output = directory.resolveSibling(directory.getFileName() + ".out");
        try {
            List<String> command = new ArrayList<>(OtherMachine.command(nice));
            command.addAll(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx512m",
                    "-cp",
                    Files.readString(Checkout.testClassPath()).strip(),
                    MAIN,
                    String.valueOf(port),
                    directory.toString()));
            Process started = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            process = started;
            if (!Await.within(START, () -> answers() || !started.isAlive()) || !started.isAlive()) {
                throw new IllegalStateException("the S3 server did not start:\n" + Files.readString(output));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * What the nodes' own client, and nothing else, puts into the store in a second, in objects of 64 MiB, two at a time.
     *
     * @param uri with keys
     */
    public static double bytesPerSecond(String uri, long bytes) {
        try {
            String printed = Commands.run(
                    Duration.ofMinutes(5),
                    Map.of(),
                    List.of(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx512m",
                            "-cp",
                            Files.readString(Checkout.testClassPath()).strip() + ":" + Checkout.distribution(),
                            PROBE,
                            uri,
                            String.valueOf(bytes)));
            return Double.parseDouble(printed.lines()
                    .filter(line -> line.startsWith("bytes per second "))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("the probe printed " + printed))
                    .substring("bytes per second ".length()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean answers() {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        takeAway();
        try {
            FileTree.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
