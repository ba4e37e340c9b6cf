package io.catchment.chaos.nodes;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos replace. */
@Command(name = "replace", description = "A node that has served much data is lost; an empty one takes its place.")
public final class ReplaceCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(
            names = "--bytes",
            defaultValue = "10000000000",
            description = "In the cluster beforehand. Default: ${DEFAULT-VALUE}")
    private long bytes;

    @Override
    public Integer call() throws Exception {
        return options.run(3, List.of(), (cluster, store, verdict) -> new Replace(
                        cluster, new Replace.Plan(bytes, options.shape(12)), verdict)
                .run());
    }
}
