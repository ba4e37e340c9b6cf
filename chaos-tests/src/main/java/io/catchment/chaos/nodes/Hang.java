package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * SIGSTOP of a random node for some time. One that hangs for longer than its lease must be taken over; when it goes on it must acknowledge
 * and serve nothing stale.
 */
final class Hang {
    /** Lease, suspicion and takeover: a hang of this length or more lasts until the node is taken over, however busy the machine is. */
    private static final Duration TAKEOVER = Duration.ofSeconds(5);

    private static final Duration LONGEST = Duration.ofSeconds(60);

    record Plan(List<Duration> hangs, Shape shape) {
        Plan {
            hangs = List.copyOf(hangs);
        }
    }

    private final Cluster cluster;
    private final Plan plan;
    private final Verdict verdict;

    Hang(Cluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
    }

    String run() {
        var random = new SplittableRandom(plan.shape.seed());
        List<String> figures = new ArrayList<>();
        try (var exercise = new Exercise(cluster, "pause", plan.shape, verdict);
                var drill = new Drill(cluster, exercise, verdict)) {
            for (Duration hang : plan.hangs) {
                drill.awaitWell();
                Drill.sleep(2000);
                hang(hang, cluster.nodes().get(random.nextInt(cluster.nodes().size())), drill, figures);
            }
            exercise.finish();
            figures.add(drill.pauses().describe());
        }
        return String.join("\n", figures);
    }

    private void hang(Duration hang, int victim, Drill drill, List<String> figures) {
        String what = "SIGSTOP of node %d for %d ms".formatted(victim, hang.toMillis());
        Pauses.Fault fault = drill.strike(what, Set.of(victim), () -> cluster.pause(victim));
        boolean longEnough = hang.compareTo(TAKEOVER) >= 0;
        try {
            if (longEnough) {
                boolean taken = drill.takenOver(Set.of(victim), LONGEST);
                figures.add("  %s: taken over after %.0f ms"
                        .formatted(what, (System.nanoTime() - fault.fromNanos()) / 1e6));
                if (!taken) {
                    verdict.violation(
                            Violation.Kind.LATE, what + ": not taken over within " + LONGEST.toSeconds() + " s");
                }
            }
            Drill.sleep(hang.toMillis() - (System.nanoTime() - fault.fromNanos()) / 1_000_000);
        } finally {
            cluster.resume(victim);
        }
        drill.awaitWell();
        drill.pauses().over(fault, System.nanoTime());
    }
}
