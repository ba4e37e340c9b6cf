package io.catchment.chaos.scenario;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos stateless. */
@Command(
        name = "stateless",
        description =
                "Produces, waits for the flush, deletes the stopped node's whole WAL directory, and reads everything from the object store.")
public final class StatelessCommand implements Callable<Integer> {
    @Mixin
    private StoreOptions store = new StoreOptions();

    @Option(names = "--bytes", defaultValue = "500000000", description = "Default: ${DEFAULT-VALUE}")
    private long bytes;

    @Option(names = "--size", defaultValue = "1024", description = "Value bytes. Default: ${DEFAULT-VALUE}")
    private int size;

    @Option(names = "--partitions", defaultValue = "12", description = "Default: ${DEFAULT-VALUE}")
    private int partitions;

    @Option(names = "--seed", description = "Default: a new one, printed")
    private long seed = new SplittableRandom().nextInt(1_000_000);

    @Override
    public Integer call() throws Exception {
        var verdict = new Verdict();
        Path scratch = Files.createTempDirectory("chaos-stateless");
        try (var objects = store.create(scratch);
                var server = CatchmentServer.up(
                        scratch.resolve("server"),
                        objects.uri(),
                        store.settings(Map.of("catchment.wal.roll.ms", "1000")))) {
            new Stateless(server, new Stateless.Plan(bytes, size, partitions, seed), verdict).run();
        } finally {
            FileTree.delete(scratch);
        }
        System.out.printf("stateless with %s, seed %d: %s%n", store.name(), seed, verdict.describe());
        return verdict.clean() ? 0 : 1;
    }
}
