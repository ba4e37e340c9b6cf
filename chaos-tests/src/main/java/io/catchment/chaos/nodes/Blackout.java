package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** All nodes are killed at once and started again: everything acknowledged is there (acknowledged is synced on A disks). */
final class Blackout {
    record Plan(int rounds, Shape shape) {}

    private final Cluster cluster;
    private final Plan plan;
    private final Verdict verdict;

    Blackout(Cluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
    }

    String run() {
        var random = new SplittableRandom(plan.shape.seed());
        List<String> figures = new ArrayList<>();
        try (var exercise = new Exercise(cluster, "blackout", plan.shape, verdict);
                var drill = new Drill(cluster, exercise, verdict)) {
            for (int round = 0; round < plan.rounds; round++) {
                drill.awaitWell();
                Drill.sleep(2000 + random.nextInt(3000));
                List<Integer> all = cluster.nodes();
                Pauses.Fault fault = drill.strike("kill -9 of all", Set.copyOf(all), () -> cluster.kill(all));
                long start = System.nanoTime();
                cluster.startAll();
                long ready = System.nanoTime();
                drill.awaitWell();
                figures.add("  all ready %.1f s after their start, all partitions written %.1f s after it"
                        .formatted((ready - start) / 1e9, (System.nanoTime() - start) / 1e9));
                drill.pauses().over(fault, System.nanoTime());
            }
            exercise.finish();
            figures.add(drill.pauses().describe());
        }
        return String.join("\n", figures);
    }
}
