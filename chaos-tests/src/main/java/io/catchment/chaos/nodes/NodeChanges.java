package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.cluster.KafkaCluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.workload.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the loss, the replacement and the addition of a node cost, on either cluster: figures for the benchmark. Each runs under a steady
 * load on a topic of its own whose history is checked; the cluster has the nodes afterwards that it had before. Owned by one thread.
 */
public final class NodeChanges {
    private static final long CALM_MS = 3000;
    private static final Duration WRITTEN = Duration.ofSeconds(90);
    private static final int BYTES = 200;
    /** Of the mean number of partitions, that makes a node a full member. */
    private static final double SHARE = 0.5;

    private final Cluster cluster;
    private final String topic;
    private final Shape shape;
    private final Verdict verdict = new Verdict();

    /** @param recordsPerSecond over all partitions */
    public NodeChanges(Cluster cluster, String topic, int partitions, int recordsPerSecond, long seed) {
        this.cluster = cluster;
        this.topic = topic;
        this.shape = new Shape(partitions, 2, recordsPerSecond, BYTES, false, seed);
    }

    /**
     * kill -9; the node is started again when everything is written to without it.
     *
     * @return pauses in acknowledgements per partition, of the dead node's and of the others', milliseconds
     * @throws IllegalStateException when something acknowledged is lost, or another promise is broken
     */
    public Map<String, Double> loss(int victim) {
        return exercised((exercise, drill, figures) -> {
            Pauses.Fault fault = drill.strike("loss of node " + victim, Set.of(victim), () -> cluster.kill(victim));
            Drill.sleep(500);
            exercise.awaitFlow(WRITTEN);
            long written = System.nanoTime();
            drill.pauses().over(fault, written);
            figures.put("dead_nodes_pause_median_ms", drill.pauses().medianOfTheirs());
            figures.put("dead_nodes_pause_worst_ms", drill.pauses().worstOfTheirs());
            figures.put("others_pause_median_ms", drill.pauses().medianOfOthers());
            figures.put("others_pause_worst_ms", drill.pauses().worstOfOthers());
            cluster.start(victim);
            drill.awaitWell();
        });
    }

    /**
     * A node is lost with its disk, an empty one takes its place.
     *
     * @return seconds from the empty node's start until it serves its share, MB that were copied for it, pauses since then
     */
    public Map<String, Double> replacement(int victim) {
        return exercised((exercise, drill, figures) -> {
            drill.awaitExpendable(victim);
            cluster.kill(victim);
            cluster.wipe(victim);
            exercise.awaitFlow(WRITTEN);
            DataMoved moved = cluster instanceof CatchmentCluster catchment ? new DataMoved(catchment) : null;
            long start = System.nanoTime();
            var watch = new ShareWatch(cluster.bootstrap(), exercise.topic());
            try (watch) {
                cluster.start(victim);
                drill.awaitWell();
                Drill.sleep(1000);
            }
            put(
                    figures,
                    "share_s",
                    start,
                    watch.seen().led(victim, start, share(cluster.nodes().size())));
            copied(figures, "copied_mb", moved, victim);
            waits(figures, "wait_p99_ms", exercise, start, System.nanoTime(), List.of());
        });
    }

    /**
     * One node more, then that one less.
     *
     * @return seconds until it has its share and until it has nothing, MB that were copied, longest waits per partition of those that moved
     */
    public Map<String, Double> addition() {
        return exercised((exercise, drill, figures) -> {
            DataMoved moved = cluster instanceof CatchmentCluster catchment ? new DataMoved(catchment) : null;
            long start = System.nanoTime();
            var watch = new ShareWatch(cluster.bootstrap(), exercise.topic());
            int node;
            long removal;
            long end;
            try (watch) {
                node = cluster.add();
                Drill.sleep(2000);
                copied(figures, "copied_mb", moved, node);
                removal = System.nanoTime();
                cluster.remove(node);
                Drill.sleep(1000);
                end = System.nanoTime();
            }
            put(
                    figures,
                    "share_s",
                    start,
                    watch.seen().led(node, start, share(cluster.nodes().size() + 1)));
            put(figures, "removal_s", removal, watch.seen().gone(node, removal));
            waits(
                    figures,
                    "addition_wait_p99_ms",
                    exercise,
                    start,
                    removal,
                    watch.seen().moved(start, removal));
            waits(
                    figures,
                    "removal_wait_p99_ms",
                    exercise,
                    removal,
                    end,
                    watch.seen().moved(removal, end));
        });
    }

    @FunctionalInterface
    private interface Change {
        void make(Exercise exercise, Drill drill, Map<String, Double> figures);
    }

    private Map<String, Double> exercised(Change change) {
        Map<String, Double> figures = new TreeMap<>();
        String named;
        try (var exercise = new Exercise(cluster, topic, shape, verdict);
                var drill = new Drill(cluster, exercise, verdict)) {
            named = exercise.topic();
            drill.awaitWell();
            Drill.sleep(CALM_MS);
            change.make(exercise, drill, figures);
            drill.awaitWell();
            exercise.finish();
        }
        Topics.delete(cluster.bootstrap(), named);
        if (!verdict.clean()) {
            throw new IllegalStateException(cluster.name() + ": " + verdict.describe());
        }
        return figures;
    }

    private int share(int nodes) {
        return Math.max(1, (int) (SHARE * shape.partitions() / nodes));
    }

    private void put(Map<String, Double> figures, String name, long from, long to) {
        if (to < 0) {
            throw new IllegalStateException(cluster.name() + ": " + name + ": never");
        }
        figures.put(name, (to - from) / 1e9);
    }

    /** Catchment: what nodes repaired. Kafka: what the new node has, which all came from others. */
    private void copied(Map<String, Double> figures, String name, @Nullable DataMoved moved, int node) {
        long bytes = moved != null ? moved.copiedBytes() : ((KafkaCluster) cluster).dataBytes(node);
        figures.put(name, bytes / 1e6);
    }

    private void waits(
            Map<String, Double> figures, String name, Exercise exercise, long from, long to, List<Integer> partitions) {
        Map<Integer, Double> longest = exercise.times().longestWaitsMs(from, to);
        if (!partitions.isEmpty()) {
            longest.keySet().retainAll(partitions);
        }
        figures.put(name, Pauses.share(new ArrayList<>(longest.values()), 0.99));
    }
}
