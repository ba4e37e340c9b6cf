package io.catchment.chaos.nodes;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos pause. */
@Command(name = "pause", description = "SIGSTOP of random nodes for different times under load.")
public final class PauseCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(names = "--seconds", split = ",", defaultValue = "1,5,30", description = "Default: ${DEFAULT-VALUE}")
    private List<Integer> seconds = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        return options.run(3, List.of(), (cluster, store, verdict) -> new Hang(
                        cluster,
                        new Hang.Plan(seconds.stream().map(Duration::ofSeconds).toList(), options.shape(12)),
                        verdict)
                .run());
    }
}
