package io.catchment.chaos.scenario;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos outage. */
@Command(
        name = "outage",
        description =
                "Takes the object store away for a while during a steady load with a group at the tail: nobody may notice.")
public final class OutageCommand implements Callable<Integer> {
    @Mixin
    private StoreOptions store = new StoreOptions();

    @Option(
            names = "--minutes",
            defaultValue = "10",
            description = "Without the object store. Default: ${DEFAULT-VALUE}")
    private double minutes;

    @Option(names = "--rate", defaultValue = "5", description = "MB/s (10^6). Default: ${DEFAULT-VALUE}")
    private double rate;

    @Option(names = "--size", defaultValue = "1024", description = "Value bytes. Default: ${DEFAULT-VALUE}")
    private int size;

    @Option(names = "--partitions", defaultValue = "12", description = "Default: ${DEFAULT-VALUE}")
    private int partitions;

    @Option(names = "--seed", description = "Default: a new one, printed")
    private long seed = new SplittableRandom().nextInt(1_000_000);

    @Override
    public Integer call() throws Exception {
        var verdict = new Verdict();
        Path scratch = Files.createTempDirectory("chaos-outage");
        Duration away = Duration.ofMillis((long) (minutes * 60_000));
        var plan = new Outage.Plan(rate, size, partitions, Duration.ofSeconds(20), away, away.plusMinutes(2), seed);
        try (var objects = store.create(scratch);
                var server = CatchmentServer.up(
                        scratch.resolve("server"),
                        objects.uri(),
                        store.settings(Map.of("catchment.wal.roll.ms", "2000", "catchment.wal.hot.bytes", "0")))) {
            new Outage(server, objects, plan, verdict).run();
        } finally {
            FileTree.delete(scratch);
        }
        System.out.printf("outage of %s for %.1f min, seed %d: %s%n", store.name(), minutes, seed, verdict.describe());
        return verdict.clean() ? 0 : 1;
    }
}
