package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** chaos zones. */
@Command(name = "zones", description = "Four nodes in two zones; each zone is killed once under load.")
public final class ZonesCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Override
    public Integer call() throws Exception {
        return options.run(
                4,
                List.of("a", "b"),
                (cluster, store, verdict) -> cluster instanceof CatchmentCluster catchment
                        ? new ZoneLoss(catchment, options.shape(12), verdict).run()
                        : "  zones is for Catchment");
    }
}
