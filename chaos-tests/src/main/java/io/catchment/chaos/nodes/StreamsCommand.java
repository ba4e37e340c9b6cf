package io.catchment.chaos.nodes;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos streams. */
@Command(
        name = "streams",
        description =
                "A stock Kafka Streams application, exactly once, while its processes and the nodes are killed: its output equals the reference.")
public final class StreamsCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(
            names = "--protocol",
            defaultValue = "classic",
            description = "classic or streams. Default: ${DEFAULT-VALUE}")
    private String protocol = "classic";

    @Option(names = "--rounds", defaultValue = "6", description = "Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(names = "--orders-per-second", defaultValue = "200", description = "Default: ${DEFAULT-VALUE}")
    private int ordersPerSecond;

    @Override
    public Integer call() throws Exception {
        // a killed process of the application is to be missed in seconds, not in 45 of them
        options.preset("group.streams.min.session.timeout.ms", "6000");
        options.preset("group.streams.session.timeout.ms", "6000");
        options.preset("group.streams.min.heartbeat.interval.ms", "1000");
        options.preset("group.streams.heartbeat.interval.ms", "1000");
        return options.run(3, List.of(), (cluster, store, verdict) -> new StreamsRun(
                        cluster, new StreamsRun.Plan(protocol, rounds, ordersPerSecond, options.seed()), verdict)
                .run());
    }
}
