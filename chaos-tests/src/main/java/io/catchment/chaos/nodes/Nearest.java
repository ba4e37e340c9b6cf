package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Metrics;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Tailer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A stock consumer in each zone follows a topic with {@code client.rack} (KIP-392), one beside them without. In a quiet time it is measured which
 * node the records come from; then nodes are killed and hung. Each node owns a third of the partitions and reads the others for its
 * zone, so each fault is one of an owner and of a near node at once. Every reader must get every record, once, in order.
 */
final class Nearest {
    static final String SELECTOR = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

    private static final Duration LONGEST = Duration.ofSeconds(60);
    /** Who met trouble at first is served by owners for 10 s. */
    private static final int SETTLE_MS = 12_000;
    /** Of what readers in zones get of partitions that are owned elsewhere, as a node of their zone must give. */
    private static final double NEAR_SHARE_MIN = 0.9;
    /** Of what a node gives to its zone, as it may have to fetch from others' disks: extents roll, and copies are a moment behind. */
    private static final double WIRE_SHARE_MAX = 0.2;

    /** @param hangMs of each node that is stopped */
    record Plan(int quietMs, int kills, int hangs, int hangMs, Shape shape) {}

    private final CatchmentCluster cluster;
    private final Plan plan;
    private final Verdict verdict;
    private final List<String> figures = new ArrayList<>();

    Nearest(CatchmentCluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
    }

    private Set<String> zones() {
        return cluster.nodes().stream().map(cluster::zone).collect(Collectors.toCollection(TreeSet::new));
    }

    String run() {
        Counted before = Counted.of(cluster.metrics());
        try (var exercise = new Exercise(cluster, "nearest", plan.shape, verdict);
                var drill = new Drill(cluster, exercise, verdict)) {
            drill.awaitWell();
            plainReadersAreLeftAlone(before);
            Map<String, Tailer> readers = new LinkedHashMap<>();
            zones().forEach(zone -> readers.put(zone, exercise.tailIn(zone)));
            readersCatchUp(exercise, readers);
            Drill.sleep(SETTLE_MS);
            quiet(exercise, readers);
            for (int i = 0; i < plan.kills && verdict.clean(); i++) {
                kill(i, drill, readers);
            }
            for (int i = 0; i < plan.hangs && verdict.clean(); i++) {
                hang(i, drill, readers);
            }
            exercise.finish();
            figures.add("  %d records acknowledged%n%s"
                    .formatted(exercise.acks().count(), drill.pauses().describe()));
            return String.join("\n", figures);
        }
    }

    /** Groups and the tailer have been reading for a while, without a rack. */
    private void plainReadersAreLeftAlone(Counted before) {
        Counted now = Counted.of(cluster.metrics());
        double sent = now.redirects - before.redirects;
        double answered = now.near - before.near;
        if (sent > 0 || answered > 0) {
            verdict.violation(
                    Violation.Kind.FAILED,
                    "readers without a rack were sent away %.0f times and got %.0f bytes elsewhere"
                            .formatted(sent, answered));
        }
    }

    private void readersCatchUp(Exercise exercise, Map<String, Tailer> readers) {
        long acknowledged = exercise.acks().count();
        readers.forEach((zone, reader) -> {
            if (!Await.within(LONGEST, () -> reader.received() >= acknowledged)) {
                verdict.violation(
                        Violation.Kind.LATE,
                        "the reader in zone %s has %d of %d records".formatted(zone, reader.received(), acknowledged));
            }
        });
    }

    private record Counted(double near, double wire, double redirects) {
        static Counted of(Metrics metrics) {
            return new Counted(
                    metrics.sum("catchment_near_answered_bytes_total"),
                    metrics.sum("catchment_read_bytes_total", "level=\"peer\""),
                    metrics.sum("catchment_near_redirects_total"));
        }
    }

    private void quiet(Exercise exercise, Map<String, Tailer> readers) {
        Counted before = Counted.of(cluster.metrics());
        long valuesBefore = values(readers);
        long plainBefore = exercise.tailer().receivedBytes();
        readers.values().forEach(Tailer::measureDelaysAnew);
        exercise.tailer().measureDelaysAnew();
        Drill.sleep(plan.quietMs);
        Counted after = Counted.of(cluster.metrics());
        long values = values(readers) - valuesBefore;
        long plain = exercise.tailer().receivedBytes() - plainBefore;
        // with headers of records and batches it is more than the values
        double elsewhere = values * (zones().size() - 1.0) / zones().size();
        double near = after.near - before.near;
        double wire = after.wire - before.wire;
        figures.add(
                "  quiet, %.0f s: readers in %d zones got %.2f MB of values, %.2f MB of them of owners in other zones; nodes of their zones gave them %.2f MB of records, %.2f MB of these over the wire; the reader without a rack got %.2f MB"
                        .formatted(
                                plan.quietMs / 1e3,
                                readers.size(),
                                values / 1e6,
                                elsewhere / 1e6,
                                near / 1e6,
                                wire / 1e6,
                                plain / 1e6));
        readers.forEach((zone, reader) -> figures.add(
                "  delay in zone %s: %s".formatted(zone, reader.delays().describe())));
        figures.add("  delay without a zone: " + exercise.tailer().delays().describe());
        if (near < NEAR_SHARE_MIN * elsewhere) {
            verdict.violation(
                    Violation.Kind.FAILED,
                    "of %.0f bytes nodes of the readers' zones gave only %.0f".formatted(elsewhere, near));
        }
        if (wire > WIRE_SHARE_MAX * near) {
            verdict.violation(
                    Violation.Kind.FAILED,
                    "of %.0f bytes for readers in their zones %.0f came over the wire".formatted(near, wire));
        }
    }

    private static long values(Map<String, Tailer> readers) {
        return readers.values().stream().mapToLong(Tailer::receivedBytes).sum();
    }

    private int victim(int round) {
        List<Integer> nodes = cluster.nodes();
        return nodes.get((int) Math.floorMod(plan.shape.seed() + round, (long) nodes.size()));
    }

    private void kill(int round, Drill drill, Map<String, Tailer> readers) {
        int victim = victim(round);
        strike(
                "kill -9 of node " + victim,
                victim,
                () -> cluster.kill(victim),
                () -> cluster.start(victim),
                drill,
                readers);
    }

    private void hang(int round, Drill drill, Map<String, Tailer> readers) {
        int victim = victim(round);
        strike(
                "SIGSTOP of node %d for %d ms and more".formatted(victim, plan.hangMs),
                victim,
                () -> cluster.pause(victim),
                () -> {
                    Drill.sleep(plan.hangMs);
                    cluster.resume(victim);
                },
                drill,
                readers);
    }

    private void strike(
            String what, int victim, Runnable fault, Runnable repair, Drill drill, Map<String, Tailer> readers) {
        Pauses.Fault struck = drill.strike(what, Set.of(victim), fault);
        try {
            awaitReaders(what, readers);
        } finally {
            repair.run();
        }
        drill.awaitWell();
        drill.pauses().over(struck, System.nanoTime());
        double before = cluster.metrics().sum("catchment_near_answered_bytes_total");
        boolean again =
                Await.within(LONGEST, () -> cluster.metrics().sum("catchment_near_answered_bytes_total") > before);
        if (!again) {
            verdict.violation(Violation.Kind.LATE, what + ": nobody reads in its zone any more");
        }
    }

    /** Readers go on, whoever of their node and their owners is gone. */
    private void awaitReaders(String what, Map<String, Tailer> readers) {
        long begin = System.nanoTime();
        Map<String, Long> before = new LinkedHashMap<>();
        readers.forEach((zone, reader) -> before.put(zone, reader.received()));
        Map<String, Long> wentOn = new LinkedHashMap<>();
        // enough for each partition to have been heard of
        long enough = 5L * plan.shape.partitions();
        boolean all = Await.within(LONGEST, () -> {
            readers.forEach((zone, reader) -> {
                if (reader.received() >= before.getOrDefault(zone, 0L) + enough) {
                    wentOn.putIfAbsent(zone, (System.nanoTime() - begin) / 1_000_000);
                }
            });
            return wentOn.size() == readers.size();
        });
        if (!all) {
            verdict.violation(
                    Violation.Kind.LATE, what + ": of the readers only these got anything more: " + wentOn.keySet());
        }
        figures.add("  %s: readers had %d more records after %s ms".formatted(what, enough, wentOn));
    }
}
