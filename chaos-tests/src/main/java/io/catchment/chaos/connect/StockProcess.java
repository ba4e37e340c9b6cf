package io.catchment.chaos.connect;

import io.catchment.chaos.cluster.Checkout;
import io.catchment.chaos.cluster.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A program of Kafka Connect's jars with one properties file, as its own process. Owned by the thread that runs the scenario. */
final class StockProcess implements AutoCloseable {
    private final String mainClass;
    private final Path folder;
    private final Path properties;
    private @Nullable Process process;

    StockProcess(String mainClass, Path folder, Map<String, String> settings) throws IOException {
        this.mainClass = mainClass;
        this.folder = folder;
        this.properties = folder.resolve("worker.properties");
        Files.createDirectories(folder);
        var file = new Properties();
        file.putAll(settings);
        try (var writer = Files.newBufferedWriter(properties)) {
            file.store(writer, null);
        }
    }

    /** @throws IllegalStateException when there are no jars */
    static String jars() {
        return Commands.run(
                                Duration.ofMinutes(10),
                                Map.of(),
                                List.of(Checkout.kafkaJars().toString(), "connect"))
                        .lines()
                        .reduce("", (first, last) -> last)
                + "/*";
    }

    void start() throws IOException {
        process = new ProcessBuilder(List.of(
                        "java",
                        "-Xmx512m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Dlog4j2.configurationFile=" + Checkout.toolLogging(),
                        "-cp",
                        jars(),
                        mainClass,
                        properties.toString()))
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

    boolean alive() {
        Process present = process;
        return present != null && present.isAlive();
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
