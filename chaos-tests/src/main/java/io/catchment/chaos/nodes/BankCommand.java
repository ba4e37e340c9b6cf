package io.catchment.chaos.nodes;

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

    @Override
    public Integer call() throws Exception {
        return options.run(3, List.of(), (cluster, store, verdict) -> new Bank(
                        cluster, new Bank.Plan(rounds, clerks, calmMs, downMs, options.seed()), verdict)
                .run());
    }
}
