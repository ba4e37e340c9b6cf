package io.catchment.chaos.mirror;

import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.cluster.KafkaCluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * MirrorMaker 2 between one Apache Kafka node, A, and the cluster under test, B, both ways, while it and nodes of B are killed. The mirrors
 * hold what was sent exactly once and in order; topics that change are followed; consumer groups go on in the other cluster.
 */
public final class MirrorRun {
    private static final Logger LOG = LoggerFactory.getLogger(MirrorRun.class);

    private final Cluster cluster;
    private final Plan plan;
    private final Verdict verdict;

    /** What is done. */
    public record Plan(int rounds, int recordsPerSecond, long seed) {}

    public MirrorRun(Cluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
    }

    /** Figures, lines of text. */
    public String run() throws Exception {
        Path folder = cluster.directory().resolve("mirror-maker");
        try (var other = KafkaCluster.up(cluster.directory().resolve("other"), 1);
                var out = new Flow(
                        "A",
                        other.bootstrap(),
                        cluster.bootstrap(),
                        "orders",
                        plan.recordsPerSecond(),
                        plan.seed(),
                        verdict);
                var back = new Flow(
                        "B",
                        cluster.bootstrap(),
                        other.bootstrap(),
                        "returns",
                        plan.recordsPerSecond(),
                        plan.seed() + 1,
                        verdict);
                var mirrorMaker = new MirrorMaker(
                        folder,
                        new MirrorMaker.Site("A", other.bootstrap(), 1, out.topic()),
                        new MirrorMaker.Site(
                                "B",
                                cluster.bootstrap(),
                                Math.min(3, cluster.nodes().size()),
                                back.topic()))) {
            List<Flow> flows = List.of(out, back);
            for (Flow flow : flows) {
                for (int round = 0; round <= plan.rounds(); round++) {
                    flow.readers().introduce(name(round));
                }
            }
            mirrorMaker.start();
            awaitProgress(flows, mirrorMaker, "it began");
            flows.forEach(Flow::alter);
            var random = new SplittableRandom(plan.seed());
            for (int round = 1; round <= plan.rounds(); round++) {
                strike(round, flows, mirrorMaker, random);
            }
            flows.forEach(Flow::rest);
            for (Flow flow : flows) {
                flow.readers().restExactly(name(0));
                flow.check();
                flow.readers().goOn();
            }
            for (String failure : mirrorMaker.failures()) {
                verdict.violation(Violation.Kind.FAILED, failure);
            }
            return "  %d rounds: %d records from A to B, %d from B to A%n  %s%n  %s"
                    .formatted(
                            plan.rounds(),
                            out.sent().count(),
                            back.sent().count(),
                            out.readers().figures(),
                            back.readers().figures());
        }
    }

    /** Of the group that consumes in a round; 0 for the one that consumes when all is done. */
    private static String name(int round) {
        return "of-round-" + round;
    }

    private void strike(int round, List<Flow> flows, MirrorMaker mirrorMaker, SplittableRandom random)
            throws IOException, InterruptedException {
        Thread.sleep(500 + random.nextInt(2_500));
        int what = round <= 3 ? round - 1 : random.nextInt(3);
        int node = cluster.nodes().get(random.nextInt(cluster.nodes().size()));
        boolean meanwhile = random.nextBoolean();
        LOG.info(
                "round {}: kill -9 of {}{}, groups consume {}",
                round,
                what != 1 ? "MirrorMaker " : "",
                what != 0 ? "node " + node : "",
                meanwhile ? "meanwhile" : "before");
        if (!meanwhile) {
            consume(round, flows, random);
        }
        if (what != 1) {
            mirrorMaker.kill();
        }
        if (what != 0) {
            cluster.kill(node);
        }
        Thread.sleep(500 + random.nextInt(2_500));
        if (meanwhile) {
            consume(round, flows, random);
        }
        if (what != 0) {
            cluster.start(node);
        }
        if (what != 1) {
            mirrorMaker.start();
        }
        awaitProgress(flows, mirrorMaker, "round " + round);
        flows.forEach(flow -> flow.readers().awaitTranslated(name(round)));
    }

    /** Nearly all that there is. */
    private static void consume(int round, List<Flow> flows, SplittableRandom random) {
        for (Flow flow : flows) {
            flow.readers().consume(name(round), flow.sent().count() * (900 + random.nextInt(101)) / 1000);
        }
    }

    private void awaitProgress(List<Flow> flows, MirrorMaker mirrorMaker, String after) {
        long began = System.nanoTime();
        flows.forEach(flow -> flow.awaitProgress(after));
        LOG.info("{}: both directions go on after {} ms", after, (System.nanoTime() - began) / 1_000_000);
        if (!mirrorMaker.alive()) {
            verdict.violation(Violation.Kind.FAILED, "MirrorMaker has ended (" + after + ")");
        }
    }
}
