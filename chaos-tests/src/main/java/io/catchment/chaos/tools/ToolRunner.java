package io.catchment.chaos.tools;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.Checkout;
import io.catchment.chaos.cluster.Commands;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Calls tools of one cluster, each in a process of its own. Owned by the thread that runs the steps. */
final class ToolRunner implements AutoCloseable {
    private static final int LIMIT_S = 90;
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private static final String JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Xlog:disable";

    private record Started(Process process, Path output) {}

    private final String bootstrap;
    private final Path classes;
    private final Path folder;
    private final Map<String, Started> started = new HashMap<>();

    /** @param classes made by {@link #archive} */
    ToolRunner(String bootstrap, Path classes, Path folder) throws IOException {
        this.bootstrap = bootstrap;
        this.classes = classes;
        this.folder = folder;
        Files.createDirectories(folder);
    }

    /** What it printed, its exit code in the last line. */
    String run(Step step) throws IOException, InterruptedException {
        return switch (step.kind()) {
            case START -> {
                started.put(step.name(), begin(step));
                yield "";
            }
            case STOP -> end(step.name());
            case RUN -> step.until().isPresent() ? repeat(step, step.until().get()) : once(step);
        };
    }

    private String once(Step step) throws IOException, InterruptedException {
        Started call = begin(step);
        boolean ended = call.process.waitFor(LIMIT_S, TimeUnit.SECONDS);
        if (!ended) {
            call.process.destroyForcibly().waitFor();
        }
        return text(call.output) + "\nexit " + (ended ? call.process.exitValue() : "none in " + LIMIT_S + " s");
    }

    private String repeat(Step step, String until) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        String output = once(step);
        while (!output.contains(until) && System.nanoTime() < deadline) {
            output = once(step);
        }
        return output;
    }

    /** SIGTERM, as Ctrl-C does it to a consumer; its output once it has some. */
    private String end(String name) throws IOException, InterruptedException {
        Started call = started.remove(name);
        if (call == null) {
            throw new IllegalArgumentException(name + " was not started");
        }
        Await.within(
                Duration.ofSeconds(20),
                Duration.ofMillis(50),
                () -> Files.exists(call.output) && call.output.toFile().length() > 0);
        call.process.destroy();
        if (!call.process.waitFor(LIMIT_S, TimeUnit.SECONDS)) {
            call.process.destroyForcibly().waitFor();
        }
        return text(call.output);
    }

    private Started begin(Step step) throws IOException {
        Path input = folder.resolve(step.name() + ".in");
        Path output = folder.resolve(step.name() + ".out");
        Files.writeString(input, step.input());
        Process process = start(new ProcessBuilder(command(step))
                .redirectErrorStream(true)
                .redirectInput(input.toFile())
                .redirectOutput(output.toFile()));
        return new Started(process, output);
    }

    private Process start(ProcessBuilder builder) throws IOException {
        builder.environment().put("KAFKA_TOOL_OPTS", JVM + " -XX:SharedArchiveFile=" + classes);
        return builder.start();
    }

    /** Classes as the JVM has them once they are loaded, by which each call starts in half of the time. Without them calls are slow, not wrong. */
    static Path archive(String bootstrap, Path file) {
        Commands.run(
                Duration.ofSeconds(LIMIT_S),
                Map.of("KAFKA_TOOL_OPTS", JVM + " -XX:ArchiveClassesAtExit=" + file),
                List.of(Checkout.kafkaTool().toString(), "consumer-groups", "--bootstrap-server", bootstrap, "--list"));
        return file;
    }

    private List<String> command(Step step) {
        List<String> command = new ArrayList<>(List.of(Checkout.kafkaTool().toString()));
        for (String word : step.tool()) {
            @Nullable String file = word.startsWith("{file ") ? word.substring(6, word.length() - 1) : null;
            if (word.equals("{B}")) {
                command.addAll(List.of("--bootstrap-server", bootstrap));
            } else if (word.equals("{A}")) {
                command.add(bootstrap);
            } else {
                command.add(
                        file == null
                                ? word
                                : Checkout.toolSteps().resolveSibling(file).toString());
            }
        }
        return command;
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        started.values().forEach(call -> call.process.destroyForcibly());
    }
}
