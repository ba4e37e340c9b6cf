package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Checkout;
import io.catchment.chaos.cluster.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One process of the Streams application, with a folder of its own. Owned by the thread that runs the scenario. */
final class StreamsProcess implements AutoCloseable {
    private final String bootstrap;
    private final String application;
    private final String protocol;
    private final Path folder;
    private final String classPath;
    private @Nullable Process process;

    StreamsProcess(String bootstrap, String application, String protocol, Path folder) {
        this.bootstrap = bootstrap;
        this.application = application;
        this.protocol = protocol;
        this.folder = folder;
        this.classPath = Commands.run(
                                Duration.ofMinutes(10),
                                Map.of(),
                                List.of(Checkout.kafkaJars().toString(), "streams"))
                        .lines()
                        .reduce("", (first, last) -> last)
                + "/*";
    }

    void start() throws IOException {
        Files.createDirectories(folder);
        process = new ProcessBuilder(List.of(
                        "java",
                        "-Xmx384m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        classPath,
                        Checkout.streamsApplication().toString(),
                        bootstrap,
                        application,
                        protocol,
                        folder.resolve("state").toString()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        folder.resolve("console.log").toFile()))
                .start();
    }

    /** kill -9. Returns when it is dead. */
    void kill() throws InterruptedException {
        Process present = process;
        if (present != null) {
            present.destroyForcibly().waitFor();
        }
    }

    @Override
    public void close() {
        Process present = process;
        if (present == null) {
            return;
        }
        present.destroy();
        try {
            if (!present.waitFor(20, TimeUnit.SECONDS)) {
                present.destroyForcibly();
            }
        } catch (InterruptedException e) {
            present.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
