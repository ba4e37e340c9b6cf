package io.catchment.chaos.store;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos crash-points. */
@Command(
        name = "crash-points",
        description =
                "kill -9 of the node at each step of flush, merge, delete and listing; afterwards the store is what the"
                        + " catalog says, and every record is there.")
public final class CrashPointsCommand implements Callable<Integer> {
    @Mixin
    private StoreScenario scenario = new StoreScenario();

    @Option(names = "--only", split = ",", description = "${COMPLETION-CANDIDATES}. Default: all")
    private List<CrashPoint> only = List.of();

    @Option(names = "--rounds", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Override
    public Integer call() throws Exception {
        return scenario.run(CrashPoints.SETTINGS, (cluster, store, verdict) -> {
            List<CrashPoint> points = only.isEmpty() ? List.of(CrashPoint.values()) : only;
            List<CrashPoint> all = java.util.stream.IntStream.range(0, rounds)
                    .boxed()
                    .flatMap(round -> points.stream())
                    .toList();
            return new CrashPoints(cluster, store, new CrashPoints.Plan(all, scenario.seed()), verdict).run();
        });
    }
}
