package io.catchment.chaos.scenario;

import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.cluster.Server;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos killcycle. */
@Command(
        name = "killcycle",
        description =
                "Produces with recorded acknowledgements, kills the node with -9 at random moments, reads everything back.")
public final class KillCycleCommand implements Callable<Integer> {
    @Mixin
    private TargetOptions target = new TargetOptions();

    @Option(names = "--rounds", defaultValue = "10", description = "Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(names = "--kills", defaultValue = "1", description = "Per round. Default: ${DEFAULT-VALUE}")
    private int kills;

    @Option(names = "--bytes", defaultValue = "2000000000", description = "Per round. Default: ${DEFAULT-VALUE}")
    private long bytes;

    @Option(names = "--size", defaultValue = "1024", description = "Value bytes. Default: ${DEFAULT-VALUE}")
    private int size;

    @Option(names = "--partitions", defaultValue = "12", description = "Default: ${DEFAULT-VALUE}")
    private int partitions;

    @Option(names = "--seed", description = "Of the kill moments and values. Default: a new one, printed")
    private long seed = new SplittableRandom().nextInt(1_000_000);

    @Option(
            names = "--perf-test",
            description = "Load by the stock kafka-producer-perf-test instead of our own producer")
    private boolean perfTest;

    @Override
    public Integer call() throws Exception {
        System.out.printf("seed %d (replay: chaos killcycle --seed %d and the same options)%n", seed, seed);
        var verdict = new Verdict();
        Path scratch = Files.createTempDirectory("chaos-killcycle");
        try (Server server = target.up(scratch.resolve("server"))) {
            new KillCycle(server, new KillCycle.Plan(rounds, kills, bytes, size, partitions, seed, perfTest), verdict)
                    .run(scratch);
        } finally {
            FileTree.delete(scratch);
        }
        System.out.printf(
                "killcycle against %s, %d rounds, seed %d: %s%n", target.name(), rounds, seed, verdict.describe());
        return verdict.clean() ? 0 : 1;
    }
}
