package io.catchment.chaos.nodes;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos blackout. */
@Command(name = "blackout", description = "kill -9 of all nodes at once under load; all are started again.")
public final class BlackoutCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(names = "--rounds", defaultValue = "3", description = "Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Override
    public Integer call() throws Exception {
        return options.run(3, List.of(), (cluster, store, verdict) -> new Blackout(
                        cluster, new Blackout.Plan(rounds, options.shape(12)), verdict)
                .run());
    }
}
