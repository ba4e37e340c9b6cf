package io.catchment.chaos.connect;

import io.catchment.chaos.nodes.ScenarioOptions;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos connect. */
@Command(
        name = "connect",
        description =
                "Stock Kafka Connect, two distributed workers, a file source (exactly once) and a file sink, while workers and nodes are killed.")
public final class ConnectCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(names = "--rounds", defaultValue = "6", description = "Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(names = "--lines-per-second", defaultValue = "300", description = "Default: ${DEFAULT-VALUE}")
    private int linesPerSecond;

    @Override
    public Integer call() throws Exception {
        return options.run(3, List.of(), (cluster, store, verdict) -> new ConnectRun(
                        cluster, new ConnectRun.Plan(rounds, linesPerSecond, options.seed()), verdict)
                .run());
    }
}
