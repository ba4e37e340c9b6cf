package io.catchment.chaos.catchup;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.cluster.KafkaCluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.scenario.StoreOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos catchup. */
@Command(
        name = "catchup",
        description =
                "Reads a cold backlog with several consumers beside a steady load that is followed at the tail, and compares the tail with a quiet time,"
                        + " the rate with what the store gives a client without a node.")
public final class CatchupCommand implements Callable<Integer> {
    enum Target {
        catchment,
        kafka
    }

    @Mixin
    private StoreOptions store = new StoreOptions();

    @Option(
            names = "--target",
            defaultValue = "catchment",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}")
    private Target target = Target.catchment;

    @Option(names = "--bytes", defaultValue = "20000000000", description = "Of the backlog. Default: ${DEFAULT-VALUE}")
    private long bytes;

    @Option(names = "--size", defaultValue = "1024", description = "Value bytes. Default: ${DEFAULT-VALUE}")
    private int size;

    @Option(names = "--partitions", defaultValue = "12", description = "Default: ${DEFAULT-VALUE}")
    private int partitions;

    @Option(names = "--readers", defaultValue = "4", description = "Default: ${DEFAULT-VALUE}")
    private int readers;

    @Option(
            names = "--nice",
            defaultValue = "0",
            description =
                    "Of the readers, the raw read and the S3 server: they stand for other machines. Default: ${DEFAULT-VALUE}")
    private int nice;

    @Option(names = "--rate", defaultValue = "20", description = "MB/s at the tail. Default: ${DEFAULT-VALUE}")
    private double rate;

    @Option(names = "--quiet-s", defaultValue = "30", description = "Default: ${DEFAULT-VALUE}")
    private int quietSeconds;

    @Option(names = "--seed", description = "Default: a new one, printed")
    private long seed = new SplittableRandom().nextInt(1_000_000);

    @Option(names = "--dir", description = "Where everything is kept while it runs. Default: a temporary folder")
    private Path directory = Path.of("");

    @Override
    public Integer call() throws Exception {
        var verdict = new Verdict();
        Path scratch = directory.toString().isEmpty()
                ? Files.createTempDirectory("chaos-catchup")
                : Files.createDirectories(directory);
        var plan = new Catchup.Plan(
                bytes,
                size,
                partitions,
                readers,
                nice,
                rate,
                Duration.ofSeconds(15),
                Duration.ofSeconds(quietSeconds),
                seed);
        CatchupFigures figures;
        try {
            figures = target == Target.kafka ? kafka(scratch, plan, verdict) : catchment(scratch, plan, verdict);
        } finally {
            FileTree.delete(scratch);
        }
        System.out.print(figures.table());
        System.out.printf(
                "catchup, %s%s, %.1f GB, seed %d: %s%n",
                target, target == Target.kafka ? "" : " with " + store.name(), bytes / 1e9, seed, verdict.describe());
        return verdict.clean() ? 0 : 1;
    }

    private CatchupFigures catchment(Path scratch, Catchup.Plan plan, Verdict verdict) throws Exception {
        try (var objects = store.create(scratch, nice);
                var cluster = CatchmentCluster.up(
                        scratch.resolve("server"),
                        new CatchmentCluster.Options(
                                1, objects.uri(), store.settings(Map.of()), List.of(), Map.of()))) {
            return new Catchup(cluster, objects.uri(), plan, verdict).run();
        }
    }

    private static CatchupFigures kafka(Path scratch, Catchup.Plan plan, Verdict verdict) throws Exception {
        try (var cluster = KafkaCluster.up(scratch.resolve("server"), 1)) {
            return new Catchup(cluster, null, plan, verdict).run();
        }
    }
}
