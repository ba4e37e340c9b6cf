package io.catchment.chaos.mirror;

import io.catchment.chaos.nodes.ScenarioOptions;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos mirror. */
@Command(
        name = "mirror",
        description =
                "Stock MirrorMaker 2, exactly once, between an Apache Kafka node and the cluster, both ways, while it and nodes are killed.")
public final class MirrorCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(names = "--rounds", defaultValue = "6", description = "Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(
            names = "--records-per-second",
            defaultValue = "100",
            description = "Of each direction. Default: ${DEFAULT-VALUE}")
    private int recordsPerSecond;

    @Override
    public Integer call() throws Exception {
        return options.run(3, List.of(), (cluster, store, verdict) -> new MirrorRun(
                        cluster, new MirrorRun.Plan(rounds, recordsPerSecond, options.seed()), verdict)
                .run());
    }
}
