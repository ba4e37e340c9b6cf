package io.catchment.chaos.store;

import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** chaos crash-points. */
@Command(
        name = "crash-points",
        description =
                "kill -9 of the node that is at each step of flush, merge, compaction, manifest, delete and listing; afterwards the store"
                        + " is what the catalog says, and every record is there.")
public final class CrashPointsCommand implements Callable<Integer> {
    private static final long UPLOAD_LIMIT_MS = 8_000;

    @Mixin
    private StoreScenario scenario = new StoreScenario();

    @Option(names = "--only", split = ",", description = "${COMPLETION-CANDIDATES}. Default: all")
    private List<CrashPoint> only = List.of();

    @Option(names = "--rounds", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Override
    public Integer call() throws Exception {
        int worst = 0;
        for (boolean withoutMerges : List.of(false, true)) {
            List<CrashPoint> points = points(withoutMerges);
            if (!points.isEmpty()) {
                var plan = new CrashPoints.Plan(points, UPLOAD_LIMIT_MS, scenario.seed());
                worst = Math.max(
                        worst,
                        scenario.run(
                                withoutMerges ? "without-merges" : "with-merges",
                                CrashPoint.settings(withoutMerges, UPLOAD_LIMIT_MS),
                                (cluster, store, verdict) -> new CrashPoints(cluster, store, plan, verdict).run()));
            }
        }
        return worst;
    }

    /** Those for which the nodes merge, or do not: they have another configuration. */
    private List<CrashPoint> points(boolean withoutMerges) {
        List<CrashPoint> points = (only.isEmpty() ? List.of(CrashPoint.values()) : only)
                .stream()
                        .filter(point -> point.work().withoutMerges() == withoutMerges)
                        .toList();
        return Collections.nCopies(rounds, points).stream()
                .flatMap(List::stream)
                .toList();
    }
}
