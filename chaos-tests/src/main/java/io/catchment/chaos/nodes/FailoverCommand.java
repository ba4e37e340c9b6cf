package io.catchment.chaos.nodes;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos failover. */
@Command(
        name = "failover",
        description = "kill -9 of random nodes under load; prints what it cost partitions of the dead node and others.")
public final class FailoverCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(names = "--rounds", defaultValue = "30", description = "Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(names = "--wipe", description = "A third of the killed nodes lose their disk")
    private boolean wipe;

    @Option(names = "--store-off", description = "The object store is away during all of it")
    private boolean storeOff;

    @Option(names = "--kill-controller", description = "Every other victim is the active controller")
    private boolean killController;

    @Option(
            names = "--calm-ms",
            defaultValue = "4000",
            description = "At most so long before a kill. Default: ${DEFAULT-VALUE}")
    private int calmMs;

    @Option(names = "--down-ms", defaultValue = "6000", description = "At most so long dead. Default: ${DEFAULT-VALUE}")
    private int downMs;

    @Override
    public Integer call() throws Exception {
        return options.run(3, List.of(), (cluster, store, verdict) -> {
            if (storeOff) {
                store.takeAway();
            }
            try {
                return new Failover(
                                cluster,
                                new Failover.Plan(rounds, wipe, killController, calmMs, downMs, options.shape(12)),
                                verdict)
                        .run();
            } finally {
                if (storeOff) {
                    store.giveBack();
                }
            }
        });
    }
}
