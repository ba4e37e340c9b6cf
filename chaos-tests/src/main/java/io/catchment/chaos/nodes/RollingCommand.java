package io.catchment.chaos.nodes;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** chaos rolling. */
@Command(name = "rolling", description = "Restart of one node after the other under load: no produce error.")
public final class RollingCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Override
    public Integer call() throws Exception {
        return options.run(
                3, List.of(), (cluster, store, verdict) -> new Rolling(cluster, options.shape(12), verdict).run());
    }
}
