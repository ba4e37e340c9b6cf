package io.catchment.chaos.nodes;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos share. */
@Command(
        name = "share",
        description =
                "A share group of many members, whose processes are killed, as are nodes: each record is delivered and done with, and then not again.")
public final class ShareCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(names = "--rounds", defaultValue = "6", description = "Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(names = "--crews", defaultValue = "5", description = "Processes with members. Default: ${DEFAULT-VALUE}")
    private int crews;

    @Option(names = "--members", defaultValue = "10", description = "Of each crew. Default: ${DEFAULT-VALUE}")
    private int members;

    @Option(
            names = "--calm-ms",
            defaultValue = "4000",
            description = "At most so long before a kill. Default: ${DEFAULT-VALUE}")
    private int calmMs;

    @Option(names = "--down-ms", defaultValue = "4000", description = "At most so long dead. Default: ${DEFAULT-VALUE}")
    private int downMs;

    @Option(names = "--spare-nodes", description = "Only members die")
    private boolean spareNodes;

    @Override
    public Integer call() throws Exception {
        Shape shape = options.shape(10);
        int perSecond = Math.min(200, shape.recordsPerSecond());
        return options.run(3, List.of(), (cluster, store, verdict) -> new Share(
                        cluster,
                        new Share.Plan(
                                rounds,
                                shape.partitions(),
                                crews,
                                members,
                                perSecond,
                                calmMs,
                                downMs,
                                !spareNodes,
                                options.seed()),
                        verdict)
                .run());
    }
}
