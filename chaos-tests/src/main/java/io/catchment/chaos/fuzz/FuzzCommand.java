package io.catchment.chaos.fuzz;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.nodes.ScenarioOptions;
import java.util.EnumSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos fuzz. */
@Command(
        name = "fuzz",
        description =
                "Mutated requests, crazy values, half requests and crowds of connections on every port, beside clients that behave.")
public final class FuzzCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions options = new ScenarioOptions();

    @Option(names = "--minutes", defaultValue = "10", description = "Default: ${DEFAULT-VALUE}")
    private double minutes = 10;

    @Option(names = "--attackers", defaultValue = "8", description = "Threads. Default: ${DEFAULT-VALUE}")
    private int attackers = 8;

    @Option(
            names = "--ports",
            split = ",",
            description = "Of ${COMPLETION-CANDIDATES}; may be given several times. Default: all")
    private EnumSet<Port.Kind> kinds = EnumSet.noneOf(Port.Kind.class);

    @Option(names = "--first", defaultValue = "0", description = "Number of the first attack: a replay from there on")
    private long first;

    @Override
    public Integer call() throws Exception {
        EnumSet<Port.Kind> wanted = kinds.isEmpty() ? EnumSet.allOf(Port.Kind.class) : kinds;
        Fuzz.SETTINGS.forEach(options::preset);
        return options.run(
                3,
                Fuzz.ZONES,
                (cluster, store, verdict) -> cluster instanceof CatchmentCluster catchment
                        ? new Fuzz(
                                        catchment,
                                        new Fuzz.Plan((int) (minutes * 60), attackers, wanted, options.seed(), first),
                                        options.shape(12),
                                        verdict)
                                .run()
                        : "  fuzz is for Catchment");
    }
}
