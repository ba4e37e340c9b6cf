package io.catchment.chaos.bench;

import io.catchment.chaos.cluster.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Kafka's stock load generators, as processes of their own. */
final class PerfTools {
    private static final long LIMIT_MINUTES = 30;

    private PerfTools() {}

    /** All at once; what each printed. */
    static List<String> run(List<List<String>> commands, Path scratch) throws IOException, InterruptedException {
        List<Process> processes = new ArrayList<>();
        List<Path> outputs = new ArrayList<>();
        try {
            for (List<String> command : commands) {
                Path output = scratch.resolve("tool-" + processes.size() + ".out");
                var builder = new ProcessBuilder(new ArrayList<>(command));
                builder.command().add(0, Checkout.kafkaTool().toString());
                builder.environment().put("KAFKA_TOOL_OPTS", "-XX:TieredStopAtLevel=4 -XX:+UseParallelGC");
                outputs.add(output);
                processes.add(builder.redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start());
            }
            List<String> texts = new ArrayList<>();
            for (int i = 0; i < processes.size(); i++) {
                boolean ended = processes.get(i).waitFor(LIMIT_MINUTES, TimeUnit.MINUTES);
                String text = Files.readString(outputs.get(i));
                if (!ended || processes.get(i).exitValue() != 0) {
                    throw new IllegalStateException(
                            (ended ? "failed: " : "not done in time: ") + commands.get(i) + "\n" + text);
                }
                texts.add(text);
            }
            return texts;
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }
}
