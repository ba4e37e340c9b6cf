package io.catchment.chaos.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A Java program on a set of Kafka's jars, as its own process with a folder of its own, where {@code console.log} has what it says. It can
 * be killed and started again. Owned by the thread that runs the scenario.
 */
public final class StockProcess implements AutoCloseable {
    private final String jars;
    private final Path folder;
    private final List<String> program;
    private @Nullable Process process;

    /**
     * @param set of jars, as bench/kafka-jars names it
     * @param program main class or source file, and what it is told
     * @throws IllegalStateException when there are no jars
     */
    public StockProcess(String set, Path folder, List<String> program) throws IOException {
        this.jars = Commands.run(
                                Duration.ofMinutes(10),
                                Map.of(),
                                List.of(Checkout.kafkaJars().toString(), set))
                        .lines()
                        .reduce("", (first, last) -> last)
                + "/*";
        this.folder = folder;
        this.program = List.copyOf(program);
        Files.createDirectories(folder);
    }

    /** A program that reads one properties file. */
    public static StockProcess configured(String set, String mainClass, Path folder, Map<String, String> settings)
            throws IOException {
        Path properties = folder.resolve("settings.properties");
        var process = new StockProcess(set, folder, List.of(mainClass, properties.toString()));
        var file = new Properties();
        file.putAll(settings);
        try (var writer = Files.newBufferedWriter(properties)) {
            file.store(writer, null);
        }
        return process;
    }

    public void start() throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "java",
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dlog4j2.configurationFile=" + Checkout.toolLogging(),
                "-cp",
                jars));
        command.addAll(program);
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                .start();
    }

    /** What it has said since it was first started. */
    public Path log() {
        return folder.resolve("console.log");
    }

    public boolean alive() {
        Process present = process;
        return present != null && present.isAlive();
    }

    /** kill -9. Returns when it is dead. */
    public void kill() throws InterruptedException {
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
