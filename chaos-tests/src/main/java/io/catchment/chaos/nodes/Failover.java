package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.Verdict;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * kill -9 of a random node at a random moment of a steady load, again and again; it is started again after a random delay, sometimes with
 * an empty disk, and sometimes another is killed as soon as it has joined again. P1 to P4 must hold throughout.
 */
final class Failover {
    private static final Logger LOG = LoggerFactory.getLogger(Failover.class);

    /**
     * @param wipe some of the killed nodes lose their disk
     * @param killController every other victim is the active controller
     * @param calmMs at most so long before a kill
     * @param downMs at most so long before the start after it
     */
    record Plan(int rounds, boolean wipe, boolean killController, int calmMs, int downMs, Shape shape) {}

    private final Cluster cluster;
    private final Plan plan;
    private final Verdict verdict;
    private final SplittableRandom random;
    private int kills;
    private int wipes;

    Failover(Cluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
        this.random = new SplittableRandom(plan.shape.seed());
    }

    /** What the kills cost, as text. */
    String run() {
        try (var exercise = new Exercise(cluster, "failover", plan.shape, verdict);
                var drill = new Drill(cluster, exercise, verdict)) {
            drill.awaitWell();
            for (int round = 0; round < plan.rounds && verdict.clean(); round++) {
                round(round, drill);
            }
            exercise.finish();
            return "  %d kills, %d of them with the disk lost, %d records acknowledged%n%s"
                    .formatted(
                            kills,
                            wipes,
                            exercise.acks().count(),
                            drill.pauses().describe());
        }
    }

    private void round(int round, Drill drill) {
        // all of a round's dice are thrown before it: a replay throws the same
        int pick = random.nextInt(cluster.nodes().size());
        boolean controller = plan.killController && round % 2 == 0;
        boolean wiped = plan.wipe && random.nextInt(3) == 0;
        boolean twice = random.nextInt(4) == 0;
        int calm = 1000 + random.nextInt(plan.calmMs);
        int down = random.nextInt(plan.downMs);
        int next = 1 + random.nextInt(cluster.nodes().size() - 1);
        Drill.sleep(calm);
        int victim = controller ? drill.view().controller() : cluster.nodes().get(pick);
        long begin = kill("round " + round, victim, controller, wiped, down, drill);
        if (twice) {
            List<Integer> nodes = cluster.nodes();
            int second = nodes.get((nodes.indexOf(victim) + next) % nodes.size());
            kill("round " + round + ", the second", second, false, false, down / 2, drill);
        }
        LOG.info("round {} took {} s", round, (System.nanoTime() - begin) / 1_000_000_000);
    }

    private long kill(String when, int victim, boolean controller, boolean wiped, int down, Drill drill) {
        if (wiped) {
            drill.awaitExpendable(victim);
        }
        String what = "%s: kill -9 of node %d%s%s, started after %d ms"
                .formatted(when, victim, controller ? ", the active controller" : "", wiped ? ", wiped" : "", down);
        Pauses.Fault fault = drill.strike(what, Set.of(victim), () -> cluster.kill(victim));
        kills++;
        Drill.sleep(down);
        if (wiped) {
            cluster.wipe(victim);
            wipes++;
        }
        cluster.start(victim);
        drill.awaitWell();
        if (wiped) {
            // Else the next kill may take the last copy of what this disk held away for as long as its node is down
            cluster.nodes().forEach(drill::awaitExpendable);
        }
        drill.pauses().over(fault, System.nanoTime());
        return fault.fromNanos();
    }
}
