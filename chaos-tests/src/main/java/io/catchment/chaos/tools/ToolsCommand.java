package io.catchment.chaos.tools;

import io.catchment.chaos.cluster.KafkaCluster;
import io.catchment.chaos.nodes.ScenarioOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos tools. */
@Command(
        name = "tools",
        description =
                "Kafka's command line tools, the same calls of Apache Kafka and of Catchment: their outputs differ only as tools/expected-differences.txt says.")
public final class ToolsCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(names = "--only", description = "Expression for the names of the steps to run")
    private @Nullable Pattern only;

    @Option(names = "--outputs", description = "Folder for what the tools printed. Default: a temporary one, kept")
    private @Nullable Path outputs;

    @Override
    public Integer call() throws Exception {
        Path folder = outputs == null ? Files.createTempDirectory("chaos-tools-outputs") : outputs;
        // as bench/kafka-node has them
        options.preset("num.partitions", "12");
        options.preset("min.insync.replicas", "2");
        System.out.printf("outputs in %s%n", folder);
        return options.run(3, List.of(), (cluster, store, verdict) -> {
            try (var kafka = KafkaCluster.up(cluster.directory().resolveSibling("kafka-beside"), 3)) {
                Pattern steps = only;
                return new ToolsRun(kafka, cluster, folder, verdict)
                        .run(name -> steps == null || steps.matcher(name).matches());
            }
        });
    }
}
