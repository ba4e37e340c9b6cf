package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.history.AckTimes;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Four nodes in two zones, three copies, so that each record has two copies in one zone and one in the other; each zone is killed once.
 * The zone that has one of the three controllers must be survived by the partitions led in the other. When the other goes, the controllers'
 * majority goes with it: nothing is promised but that all is there when it is back.
 */
final class ZoneLoss {
    private static final Duration LONGEST = Duration.ofSeconds(60);
    /** What is acknowledged so long after the kill was not under way at it. */
    private static final long AFTER_NANOS = Duration.ofSeconds(3).toNanos();

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
        Set<Integer> others = new TreeSet<>();
        fault.leaders().forEach((partition, leader) -> {
            if (!nodes.contains(leader)) {
                others.add(partition);
            }
        });
        AckTimes times = exercise.times();
        long after = fault.fromNanos() + AFTER_NANOS;
        boolean promised = 2 * lost < controllers;
        boolean survived = Await.within(
                promised ? LONGEST : Duration.ofSeconds(6),
                () -> System.nanoTime() > after && times.writtenSince(after, others) == others.size());
        Drill.sleep(AFTER_NANOS / 1_000_000);
        figures.add("  %s: %.0f s later %d of %d partitions are written, among them %d of %d that the other zone led"
                .formatted(
                        what,
                        (System.nanoTime() - fault.fromNanos()) / 1e9,
                        times.writtenSince(after, fault.leaders().keySet()),
                        shape.partitions(),
                        times.writtenSince(after, others),
                        others.size()));
        if (promised && !survived) {
            verdict.violation(Violation.Kind.LATE, "partitions of the other zone did not survive: " + what);
        }
        cluster.startAll();
        drill.awaitWell();
        drill.pauses().over(fault, System.nanoTime());
    }
}
