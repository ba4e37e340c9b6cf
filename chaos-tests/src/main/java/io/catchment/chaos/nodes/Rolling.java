package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.Verdict;
import java.util.Set;

/** Each node in turn is stopped cleanly and started again. No producer gets an error. */
final class Rolling {
    private final Cluster cluster;
    private final Shape shape;
    private final Verdict verdict;

    Rolling(Cluster cluster, Shape shape, Verdict verdict) {
        this.cluster = cluster;
        this.shape = shape;
        this.verdict = verdict;
    }

    String run() {
        try (var exercise = new Exercise(cluster, "rolling", shape, verdict);
                var drill = new Drill(cluster, exercise, verdict)) {
            for (int node : cluster.nodes()) {
                drill.awaitWell();
                Drill.sleep(2000);
                Pauses.Fault fault = drill.strike("stop of node " + node, Set.of(node), () -> cluster.stop(node));
                cluster.start(node);
                drill.awaitWell();
                drill.pauses().over(fault, System.nanoTime());
            }
            exercise.finish();
            return drill.pauses().describe();
        }
    }
}
