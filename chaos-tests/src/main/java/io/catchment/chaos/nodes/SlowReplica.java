package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.AckTimes;
import io.catchment.chaos.history.Verdict;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One replica answers no more (SIGSTOP): what producers of partitions that live on other nodes notice of it. Wants a node more than there
 * are copies, so that there is one to stand in.
 */
final class SlowReplica {
    private static final long BEFORE_MS = 8000;
    private static final long HANG_MS = 12_000;
    private static final long FIRST_MS = 2000;

    private final Cluster cluster;
    private final Shape shape;
    private final Verdict verdict;

    SlowReplica(Cluster cluster, Shape shape, Verdict verdict) {
        this.cluster = cluster;
        this.shape = shape;
        this.verdict = verdict;
    }

    String run() {
        List<String> figures = new ArrayList<>();
        try (var exercise = new Exercise(cluster, "slow-disk", shape, verdict);
                var drill = new Drill(cluster, exercise, verdict)) {
            drill.awaitWell();
            Drill.sleep(BEFORE_MS);
            int victim = cluster.nodes().get(cluster.nodes().size() - 1);
            Pauses.Fault fault = drill.strike("SIGSTOP of node " + victim, Set.of(victim), () -> cluster.pause(victim));
            Drill.sleep(HANG_MS);
            long end = System.nanoTime();
            cluster.resume(victim);
            drill.awaitWell();
            drill.pauses().over(fault, System.nanoTime());
            exercise.finish();

            Set<Integer> others = new HashSet<>();
            fault.leaders().forEach((partition, leader) -> {
                if (leader != victim) {
                    others.add(partition);
                }
            });
            AckTimes times = exercise.times();
            long start = fault.fromNanos();
            long first = start + FIRST_MS * 1_000_000;
            figures.add("  partitions of other nodes, p99 and longest wait for an acknowledgement:");
            figures.add(span("before", times, start - BEFORE_MS * 1_000_000, start, others));
            figures.add(span("the first " + FIRST_MS / 1000 + " s", times, start, first, others));
            figures.add(span("then", times, first, end, others));
            figures.add(drill.pauses().describe());
        }
        return String.join("\n", figures);
    }

    private static String span(String what, AckTimes times, long from, long to, Set<Integer> partitions) {
        return "    %-14s %7.1f ms %7.1f ms"
                .formatted(what, times.waitMs(from, to, partitions, 0.99), times.waitMs(from, to, partitions, 1));
    }
}
