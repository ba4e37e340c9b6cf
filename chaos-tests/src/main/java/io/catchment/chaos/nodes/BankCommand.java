package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Cluster;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos bank. */
@Command(
        name = "bank",
        description =
                "Transfers in transactions, with aborts and zombies, under kill -9 of random nodes: each is booked exactly once.")
public final class BankCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(names = "--rounds", defaultValue = "20", description = "Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(names = "--clerks", defaultValue = "3", description = "Default: ${DEFAULT-VALUE}")
    private int clerks;

    @Option(
            names = "--calm-ms",
            defaultValue = "4000",
            description = "At most so long before a kill. Default: ${DEFAULT-VALUE}")
    private int calmMs;

    @Option(names = "--down-ms", defaultValue = "6000", description = "At most so long dead. Default: ${DEFAULT-VALUE}")
    private int downMs;

    @Option(
            names = "--near",
            description = "Three zones, in each a reader beside the ordinary one (KIP-392). Of Catchment only")
    private boolean near;

    @Override
    public Integer call() throws Exception {
        List<String> zones = near && !options.kafka() ? List.of("a", "b", "c") : List.of();
        if (!zones.isEmpty()) {
            options.preset("replica.selector.class", Nearest.SELECTOR);
        }
        return options.run(3, zones, (cluster, store, verdict) -> new Bank(
                        cluster,
                        () -> nearBytes(cluster),
                        new Bank.Plan(rounds, clerks, calmMs, downMs, zones, options.seed()),
                        verdict)
                .run());
    }

    private static double nearBytes(Cluster cluster) {
        return cluster instanceof CatchmentCluster catchment
                ? catchment.metrics().sum("catchment_near_answered_bytes_total")
                : 0;
    }
}
