package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.DirectoryObjectStore;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.cluster.ObjectStoreServer;
import io.catchment.chaos.cluster.S3ObjectStore;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** chaos recover. */
@Command(
        name = "recover",
        description =
                "All nodes are lost with their disks; a new cluster begins from the bucket, and everything published is read back.")
public final class RecoverCommand implements Callable<Integer> {
    @Option(names = "--nodes", defaultValue = "3", description = "Of both clusters. Default: ${DEFAULT-VALUE}")
    private int nodes;

    @Option(names = "--partitions", defaultValue = "12", description = "Default: ${DEFAULT-VALUE}")
    private int partitions;

    @Option(names = "--records", defaultValue = "200000", description = "Default: ${DEFAULT-VALUE}")
    private long records;

    @Option(names = "--size", defaultValue = "200", description = "Value bytes. Default: ${DEFAULT-VALUE}")
    private int size;

    @Option(names = "--no-groups", description = "No consumer groups")
    private boolean noGroups;

    @Option(names = "--s3", description = "The bucket is an S3 server's, started for it, instead of a directory")
    private boolean s3;

    @Option(names = "--set", description = "KEY=VALUE: one more configuration key of each node; repeatable")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(names = "--seed", description = "Default: a new one, printed")
    private long seed = new SplittableRandom().nextInt(1_000_000);

    @Override
    public Integer call() throws Exception {
        var verdict = new Verdict();
        Path scratch = Files.createTempDirectory("chaos-recover");
        String figures;
        try (ObjectStoreServer store = s3
                ? S3ObjectStore.create(scratch.resolve("s3"))
                : DirectoryObjectStore.create(scratch.resolve("objects"))) {
            var options = CatchmentCluster.Options.of(nodes).with(store.uri(), settings);
            figures = new Recover(
                            CatchmentCluster.up(scratch.resolve("lost"), options),
                            scratch.resolve("recovered"),
                            options,
                            new Recover.Plan(partitions, records, size, !noGroups, nodes, seed),
                            verdict)
                    .run();
        } finally {
            FileTree.delete(scratch);
        }
        System.out.printf("recover, %d nodes, seed %d: %s%n%s%n", nodes, seed, verdict.describe(), figures);
        return verdict.clean() ? 0 : 1;
    }
}
