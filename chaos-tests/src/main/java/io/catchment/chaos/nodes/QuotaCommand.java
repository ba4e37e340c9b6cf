package io.catchment.chaos.nodes;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos quota. */
@Command(
        name = "quota",
        description =
                "A client with a quota of produced and fetched bytes that always wants more, beside one without: the one gets what it may, the other what"
                        + " it wants.")
public final class QuotaCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(names = "--quota", defaultValue = "1000000", description = "Bytes a second. Default: ${DEFAULT-VALUE}")
    private int bytesPerSecond;

    @Option(
            names = "--windows",
            defaultValue = "3",
            description = "Time measured, in windows of 11 s, of produce and of fetch each. Default: ${DEFAULT-VALUE}")
    private int windows;

    @Override
    public Integer call() throws Exception {
        return options.run(3, List.of(), (cluster, store, verdict) -> new Quota(
                        cluster, new Quota.Plan(bytesPerSecond, windows), verdict)
                .run());
    }
}
