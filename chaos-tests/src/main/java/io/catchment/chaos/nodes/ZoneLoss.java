package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Four nodes in two zones, three copies, so that each record has two copies in one zone and one in the other; each zone is killed once.
 * The zone that has one of the three controllers must be survived by the partitions led in the other. When the other goes, the controllers'
 * majority goes with it: nothing is promised but that all is there when it is back.
 */
final class ZoneLoss {
    private static final long DEAD_MS = 12_000;
    private static final long LATELY_MS = 4000;

    private final CatchmentCluster cluster;
    private final Shape shape;
    private final Verdict verdict;

    ZoneLoss(CatchmentCluster cluster, Shape shape, Verdict verdict) {
        this.cluster = cluster;
        this.shape = shape;
        this.verdict = verdict;
    }

    String run() {
        List<String> figures = new ArrayList<>();
        try (var exercise = new Exercise(cluster, "zones", shape, verdict);
                var drill = new Drill(cluster, exercise, verdict)) {
            for (String zone :
                    new TreeSet<>(cluster.nodes().stream().map(cluster::zone).toList())) {
                drill.awaitWell();
                Drill.sleep(3000);
                zone(zone, exercise, drill, figures);
            }
            exercise.finish();
            figures.add(drill.pauses().describe());
        }
        return String.join("\n", figures);
    }

    private void zone(String zone, Exercise exercise, Drill drill, List<String> figures) {
        Set<Integer> nodes = new TreeSet<>(cluster.nodes().stream()
                .filter(node -> cluster.zone(node).equals(zone))
                .toList());
        long controllers = cluster.nodes().stream().filter(cluster::controller).count();
        long lost = nodes.stream().filter(cluster::controller).count();
        String what = "kill -9 of zone %s, nodes %s, %d of %d controllers".formatted(zone, nodes, lost, controllers);
        Pauses.Fault fault = drill.strike(what, nodes, () -> cluster.kill(nodes));
        Drill.sleep(DEAD_MS);
        long now = System.nanoTime();
        Map<Integer, Double> lately = exercise.times().longestWaitsMs(now - LATELY_MS * 1_000_000, now);
        Set<Integer> others = new TreeSet<>();
        fault.leaders().forEach((partition, leader) -> {
            if (!nodes.contains(leader)) {
                others.add(partition);
            }
        });
        long othersGoOn = others.stream().filter(lately::containsKey).count();
        figures.add("  %s: after %d s %d of %d partitions are written, among them %d of %d that the other zone led"
                .formatted(what, DEAD_MS / 1000, lately.size(), shape.partitions(), othersGoOn, others.size()));
        if (2 * lost < controllers && othersGoOn < others.size()) {
            verdict.violation(Violation.Kind.LATE, "partitions of the other zone did not survive: " + what);
        }
        cluster.startAll();
        drill.awaitWell();
        drill.pauses().over(fault, System.nanoTime());
    }
}
