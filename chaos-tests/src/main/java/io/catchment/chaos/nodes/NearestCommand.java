package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos nearest. */
@Command(
        name = "nearest",
        description =
                "Three nodes in three zones: consumers read in their zone, under kill -9 and SIGSTOP of owners and near nodes.")
public final class NearestCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(
            names = "--quiet-s",
            defaultValue = "20",
            description = "Without faults, measured. Default: ${DEFAULT-VALUE}")
    private int quietS = 20;

    @Option(names = "--kills", defaultValue = "3", description = "Default: ${DEFAULT-VALUE}")
    private int kills = 3;

    @Option(names = "--hangs", defaultValue = "3", description = "Default: ${DEFAULT-VALUE}")
    private int hangs = 3;

    @Option(names = "--hang-ms", defaultValue = "5000", description = "Default: ${DEFAULT-VALUE}")
    private int hangMs = 5_000;

    @Override
    public Integer call() throws Exception {
        options.preset("replica.selector.class", Nearest.SELECTOR);
        return options.run(
                3,
                List.of("a", "b", "c"),
                (cluster, store, verdict) -> cluster instanceof CatchmentCluster catchment
                        ? new Nearest(
                                        catchment,
                                        new Nearest.Plan(quietS * 1_000, kills, hangs, hangMs, options.shape(12)),
                                        verdict)
                                .run()
                        : "  nearest is for Catchment");
    }
}
