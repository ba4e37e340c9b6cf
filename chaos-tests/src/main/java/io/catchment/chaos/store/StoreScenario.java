package io.catchment.chaos.store;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.FileTree;
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

/** What the scenarios of this package take, and how they are run. */
final class StoreScenario {
    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec command;

    @Option(names = "--nodes", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}")
    private int nodes = 1;

    @Option(names = "--seed", description = "Of faults and values. Default: a new one, printed")
    private long seed = new SplittableRandom().nextInt(1_000_000);

    @Option(names = "--set", description = "KEY=VALUE: one more configuration key of each node; repeatable")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(
            names = "--dir",
            description = "For data and logs. Default: a temporary folder, kept when a promise was broken")
    private @Nullable Path directory;

    /** Returns what it measured, lines of text. */
    @FunctionalInterface
    interface Scenario {
        String run(CatchmentCluster cluster, ProxiedStore store, Verdict verdict) throws Exception;
    }

    long seed() {
        return seed;
    }

    /** Prints the seed, starts store and nodes, runs the scenario, prints its verdict; the exit code. */
    int run(Map<String, String> wanted, Scenario scenario) throws Exception {
        return run("", wanted, scenario);
    }

    /** @param part of a command that runs several, with nodes of its own */
    int run(String part, Map<String, String> wanted, Scenario scenario) throws Exception {
        String name = command == null ? "scenario" : command.name();
        System.out.printf("seed %d (replay: chaos %s --seed %d and the same options)%n", seed, name, seed);
        Map<String, String> all = new LinkedHashMap<>(wanted);
        all.putAll(settings);
        Path folder = directory == null
                ? Files.createTempDirectory("chaos-" + name)
                : directory.toAbsolutePath().resolve(part);
        var verdict = new Verdict();
        String figures;
        try (var store = ProxiedStore.create(folder.resolve("store"), seed);
                var cluster = CatchmentCluster.up(
                        folder.resolve("nodes"),
                        new CatchmentCluster.Options(nodes, store.uri(), all, List.of(), store.environment()))) {
            try {
                figures = scenario.run(cluster, store, verdict);
            } finally {
                keepLogs(cluster, folder.resolve("logs"));
            }
        }
        if (verdict.clean() && directory == null) {
            FileTree.delete(folder);
        }
        System.out.printf(
                "%s%s, %d nodes, seed %d: %s%n%s%n",
                name, part.isEmpty() ? "" : " " + part, nodes, seed, verdict.describe(), figures);
        if (!verdict.clean()) {
            System.out.printf("logs of the nodes: %s%n", folder.resolve("logs"));
        }
        return verdict.clean() ? 0 : 1;
    }

    private static void keepLogs(CatchmentCluster cluster, Path into) throws IOException {
        Files.createDirectories(into);
        for (int node : cluster.nodes()) {
            Path log = cluster.logFile(node);
            if (Files.exists(log)) {
                Files.copy(
                        log, into.resolve("node-" + node + ".log"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }
}
