package io.catchment.chaos.compaction;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.cluster.KafkaServer;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** chaos compaction. */
@Command(
        name = "compaction",
        description =
                "The same updates of the same keys go to Catchment and to Apache Kafka, into a compacted topic: what a reader has who keeps the last"
                        + " value of each key must be equal on both, deleted keys must be gone from both, and so must what was there before.")
public final class CompactionCommand implements Callable<Integer> {
    @Option(names = "--keys", defaultValue = "1000000", description = "Default: ${DEFAULT-VALUE}")
    private int keys;

    @Option(names = "--updates", defaultValue = "20", description = "Of each key. Default: ${DEFAULT-VALUE}")
    private int updates;

    @Option(names = "--size", defaultValue = "100", description = "Value bytes. Default: ${DEFAULT-VALUE}")
    private int size;

    @Option(names = "--partitions", defaultValue = "4", description = "Default: ${DEFAULT-VALUE}")
    private int partitions;

    @Option(names = "--minutes", defaultValue = "10", description = "Each wait at most. Default: ${DEFAULT-VALUE}")
    private int minutes;

    @Option(
            names = "--object-store",
            defaultValue = "",
            description = "As of catchment up. Default: a folder beside the node")
    private String objectStore = "";

    @Option(names = "--set", description = "KEY=VALUE: one more configuration key of the Catchment node; repeatable")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(names = "--alone", description = "Without Kafka: Catchment is only held against what was sent")
    private boolean alone;

    @Option(names = "--seed", description = "Default: a new one, printed")
    private long seed = new SplittableRandom().nextInt(1_000_000);

    @Override
    public Integer call() throws Exception {
        var verdict = new Verdict();
        Path scratch = Files.createTempDirectory("chaos-compaction");
        var plan = new Compaction.Plan(keys, updates, size, partitions, minutes, seed);
        try (var catchment =
                CatchmentServer.up(scratch.resolve("catchment"), objectStore, Compaction.settings(settings))) {
            if (alone) {
                new Compaction(catchment, null, plan, verdict).run();
            } else {
                try (var kafka = KafkaServer.up(scratch.resolve("kafka"))) {
                    new Compaction(catchment, kafka, plan, verdict).run();
                }
            }
        } finally {
            FileTree.delete(scratch);
        }
        System.out.printf(
                "compaction of %d keys with %d updates, seed %d: %s%n", keys, updates, seed, verdict.describe());
        return verdict.clean() ? 0 : 1;
    }
}
