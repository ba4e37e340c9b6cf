package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.HistoryChecker;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.LogReader;
import io.catchment.chaos.workload.StampedProducer;
import io.catchment.chaos.workload.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node that has served much data is killed, its disk is lost, and an empty one takes its place, under a steady load: how long until it
 * serves its share, and what was copied for it.
 */
final class Replace {
    private static final Logger LOG = LoggerFactory.getLogger(Replace.class);
    private static final int VALUE_BYTES = 1024;
    private static final double SHARE = 0.8;
    private static final Duration FLUSH = Duration.ofMinutes(10);

    /** @param bytes in the cluster beforehand */
    record Plan(long bytes, Shape shape) {}

    private final Cluster cluster;
    private final Plan plan;
    private final Verdict verdict;
    private final AckLog filled = new AckLog();

    Replace(Cluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
    }

    String run() {
        String fill = "fill-" + plan.shape.seed();
        long records = plan.bytes / VALUE_BYTES;
        Topics.create(cluster.bootstrap(), fill, plan.shape.partitions());
        try (var producer = new StampedProducer(
                cluster.bootstrap(),
                fill,
                plan.shape.partitions(),
                VALUE_BYTES,
                0,
                plan.shape.seed(),
                filled,
                verdict)) {
            producer.send(records);
        }
        LOG.info("{} records are acknowledged", filled.count());
        if (cluster instanceof CatchmentCluster catchment) {
            FlushProgress.awaitAllFlushed(catchment, FLUSH);
        }
        List<String> figures = new ArrayList<>();
        try (var exercise = new Exercise(cluster, "replace", plan.shape, verdict);
                var drill = new Drill(cluster, exercise, verdict)) {
            drill.awaitWell();
            replace(exercise, drill, figures);
            exercise.finish();
            figures.add(drill.pauses().describe());
        }
        var checker = new HistoryChecker(filled, Map.of(0, records), verdict);
        LogReader.readAll(cluster.bootstrap(), fill, checker);
        return String.join("\n", figures);
    }

    private void replace(Exercise exercise, Drill drill, List<String> figures) {
        int victim = cluster.nodes().get(cluster.nodes().size() - 1);
        drill.awaitExpendable(victim);
        Pauses.Fault fault = drill.strike("loss of node " + victim, Set.of(victim), () -> cluster.kill(victim));
        Drill.sleep(5000);
        cluster.wipe(victim);
        DataMoved moved = cluster instanceof CatchmentCluster catchment ? new DataMoved(catchment) : null;
        var watch = new ShareWatch(cluster.bootstrap(), exercise.topic());
        long start = System.nanoTime();
        long ready;
        try (watch) {
            cluster.start(victim);
            ready = System.nanoTime();
            drill.awaitWell();
            Drill.sleep(1000);
        }
        drill.pauses().over(fault, System.nanoTime());
        int share = (int) (SHARE * plan.shape.partitions() / cluster.nodes().size());
        long joined = watch.seen().joined(victim, start);
        long full = watch.seen().led(victim, start, Math.max(1, share));
        figures.add(
                "  %.1f GB before; the empty node joined %.1f s after its start, was ready after %.1f s, had its share %s"
                        .formatted(
                                plan.bytes / 1e9,
                                (joined - start) / 1e9,
                                (ready - start) / 1e9,
                                full < 0 ? "never" : "after %.1f s".formatted((full - start) / 1e9)));
        if (full < 0) {
            verdict.violation(Violation.Kind.LATE, "node " + victim + " has not got its share");
        }
        if (moved != null) {
            figures.add("  " + moved.describe());
        }
    }
}
