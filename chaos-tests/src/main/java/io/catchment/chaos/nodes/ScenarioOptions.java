package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.cluster.DirectoryObjectStore;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.cluster.KafkaCluster;
import io.catchment.chaos.history.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What all scenarios with several nodes take, and how they are run. */
public final class ScenarioOptions {
    enum Target {
        catchment,
        kafka
    }

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec command;

    @Option(
            names = "--target",
            defaultValue = "catchment",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}")
    private Target target = Target.catchment;

    @Option(names = "--nodes", description = "Default: 3, or what the scenario needs")
    private int nodes;

    @Option(names = "--partitions", description = "Default: 12, or what the scenario is about")
    private int partitions;

    @Option(names = "--producers", defaultValue = "2", description = "Default: ${DEFAULT-VALUE}")
    private int producers = 2;

    @Option(names = "--rate", description = "Records a second over all. Default: 100 for each partition, at most 5000")
    private int rate;

    @Option(names = "--size", defaultValue = "200", description = "Value bytes. Default: ${DEFAULT-VALUE}")
    private int size = 200;

    @Option(names = "--no-groups", description = "No consumer groups beside the tailer")
    private boolean noGroups;

    @Option(names = "--seed", description = "Of victims, moments and values. Default: a new one, printed")
    private long seed = new SplittableRandom().nextInt(1_000_000);

    @Option(names = "--set", description = "KEY=VALUE: one more configuration key of each node; repeatable")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(names = "--dir", description = "For logs, kept when a promise was broken. Default: a temporary folder")
    private @Nullable Path directory;

    /** A scenario: returns what it measured, lines of text. */
    @FunctionalInterface
    public interface Scenario {
        String run(Cluster cluster, DirectoryObjectStore store, Verdict verdict) throws Exception;
    }

    public long seed() {
        return seed;
    }

    /** For the nodes, unless the user sets it. Of Catchment only. */
    public void preset(String key, String value) {
        settings.putIfAbsent(key, value);
    }

    public boolean kafka() {
        return target == Target.kafka;
    }

    public Shape shape(int partitionsByDefault) {
        int count = partitions > 0 ? partitions : partitionsByDefault;
        int perSecond = rate > 0 ? rate : Math.min(5000, 100 * count);
        return new Shape(count, producers, perSecond, size, !noGroups, seed);
    }

    /** Prints the seed, starts the cluster, runs the scenario, prints its verdict; the exit code. */
    public int run(int nodesByDefault, List<String> zones, Scenario scenario) throws Exception {
        String name = command == null ? "scenario" : command.name();
        System.out.printf("seed %d (replay: chaos %s --seed %d and the same options)%n", seed, name, seed);
        int count = nodes > 0 ? nodes : nodesByDefault;
        var verdict = new Verdict();
        Path folder = directory == null ? Files.createTempDirectory("chaos-" + name) : directory.toAbsolutePath();
        Path data = folder.resolve("cluster");
        String figures;
        try (var store = DirectoryObjectStore.create(folder.resolve("store"));
                var cluster = up(data, count, zones, store)) {
            try {
                figures = scenario.run(cluster, store, verdict);
            } finally {
                keepLogs(data, folder.resolve("logs"));
            }
        }
        if (verdict.clean() && directory == null) {
            FileTree.delete(folder);
        }
        System.out.printf(
                "%s against %s, %d nodes, seed %d: %s%n%s%n", name, target, count, seed, verdict.describe(), figures);
        if (!verdict.clean()) {
            System.out.printf("logs of the nodes: %s%n", folder.resolve("logs"));
        }
        return verdict.clean() ? 0 : 1;
    }

    private Cluster up(Path data, int count, List<String> zones, DirectoryObjectStore store) {
        return kafka()
                ? KafkaCluster.up(data, count)
                : CatchmentCluster.up(
                        data,
                        CatchmentCluster.Options.of(count)
                                .with(store.uri(), settings)
                                .withZones(zones.toArray(String[]::new)));
    }

    private static void keepLogs(Path data, Path into) throws IOException {
        Files.createDirectories(into);
        try (var nodes = Files.list(data)) {
            for (Path node : nodes.toList()) {
                for (String log : List.of("log/catchment.log", "log/console.log", "kafka.log", "console.log")) {
                    Path file = node.resolve(log);
                    if (Files.exists(file)) {
                        Files.copy(
                                file,
                                into.resolve(node.getFileName() + "-" + file.getFileName()),
                                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
                    }
                }
            }
        }
    }
}
