package io.catchment.chaos.nodes;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** chaos slow-disk. */
@Command(
        name = "slow-disk",
        description = "A replica that answers no more (default: one of 4 nodes): p99 of produce before, during, after.")
public final class SlowDiskCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Override
    public Integer call() throws Exception {
        return options.run(options.kafka() ? 3 : 4, List.of(), (cluster, store, verdict) -> new SlowReplica(
                        cluster, options.shape(12), verdict)
                .run());
    }
}
