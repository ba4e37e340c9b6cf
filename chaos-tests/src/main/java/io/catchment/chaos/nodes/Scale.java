package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;

/**
 * A node is added to a cluster with many partitions under load, and removed again. Its share must come and go without moving data, each
 * partition pausing for no longer than a hand-over takes.
 */
final class Scale {
    /** Of the mean number of streams, that makes a node a full member: the balancer goes by load, not by number. */
    private static final double SHARE = 0.5;

    private final CatchmentCluster cluster;
    private final Shape shape;
    private final Verdict verdict;

    Scale(CatchmentCluster cluster, Shape shape, Verdict verdict) {
        this.cluster = cluster;
        this.shape = shape;
        this.verdict = verdict;
    }

    String run() throws Exception {
        List<String> figures = new ArrayList<>();
        try (var exercise = new Exercise(cluster, "scale", shape, verdict);
                var drill = new Drill(cluster, exercise, verdict)) {
            drill.awaitWell();
            Drill.sleep(15_000);
            long quiet = System.nanoTime();
            figures.add("  before: longest wait for an acknowledgement in 5 s: %s"
                    .formatted(waits(exercise, quiet - 5_000_000_000L, quiet, List.of())));
            int[] added = new int[1];
            figures.addAll(watched("addition", exercise, () -> added[0] = cluster.add()));
            // what takes the longest is what the clients pay: the node has its share and nothing moves any more
            Drill.sleep(5000);
            figures.addAll(watched("removal", exercise, () -> {
                cluster.remove(added[0]);
                return added[0];
            }));
            drill.awaitWell();
            exercise.finish();
        }
        return String.join("\n", figures);
    }

    private List<String> watched(String what, Exercise exercise, Callable<Integer> action) throws Exception {
        var moved = new DataMoved(cluster);
        var watch = new ShareWatch(cluster.bootstrap(), exercise.topic());
        long start = System.nanoTime();
        int node;
        long done;
        long end;
        try (watch) {
            var task = new FutureTask<>(action);
            new Thread(task, what).start();
            node = get(task);
            done = System.nanoTime();
            Drill.sleep(1000);
            end = System.nanoTime();
        }
        List<String> figures = new ArrayList<>();
        int share = (int) (SHARE * shape.partitions() / (cluster.nodes().size() + (what.equals("removal") ? 1 : 0)));
        if (what.equals("removal")) {
            long gone = watch.seen().gone(node, start);
            figures.add("  removal of node %d: led nothing after %s, was no part of the cluster any more after %s"
                    .formatted(node, seconds(start, gone), seconds(start, done)));
        } else {
            long joined = watch.seen().joined(node, start);
            long full = watch.seen().led(node, start, share);
            figures.add("  addition of node %d: it joined %s after the command, had its share (%d of %d) %s later"
                    .formatted(node, seconds(start, joined), share, shape.partitions(), seconds(joined, full)));
            if (full < 0) {
                verdict.violation(Violation.Kind.LATE, "node " + node + " has not got its share");
            }
        }
        List<Integer> partitions = watch.seen().moved(start, end);
        figures.add("  %s: %d partitions moved; longest wait for an acknowledgement: %s"
                .formatted(what, partitions.size(), waits(exercise, start, end, partitions)));
        List<Integer> others = IntStream.range(0, shape.partitions())
                .filter(partition -> !partitions.contains(partition))
                .boxed()
                .toList();
        figures.add("  %s: of those that did not move, in the same time: %s"
                .formatted(what, waits(exercise, start, end, others)));
        figures.add("  %s: %s".formatted(what, moved.describe()));
        return figures;
    }

    private static int get(FutureTask<Integer> task) throws Exception {
        try {
            return task.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    private static String seconds(long from, long to) {
        return to < 0 ? "never" : "%.1f s".formatted((to - from) / 1e9);
    }

    /** Per partition: its record that waited longest. A pause in acknowledgements as the client feels it, whatever the rate. */
    private static String waits(Exercise exercise, long from, long to, List<Integer> only) {
        Map<Integer, Double> waits = new HashMap<>(exercise.times().longestWaitsMs(from, to));
        if (!only.isEmpty()) {
            waits.keySet().retainAll(only);
        }
        return Pauses.figures(List.copyOf(waits.values()));
    }
}
