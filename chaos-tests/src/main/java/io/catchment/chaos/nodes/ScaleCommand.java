package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** chaos scale. */
@Command(name = "scale", description = "A node more under load with many partitions (default 1000), then a node less.")
public final class ScaleCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Override
    public Integer call() throws Exception {
        return options.run(
                3,
                List.of(),
                (cluster, store, verdict) -> cluster instanceof CatchmentCluster catchment
                        ? new Scale(catchment, options.shape(1000), verdict).run()
                        : "  scale is for Catchment: Kafka moves nothing by itself (see bench/)");
    }
}
