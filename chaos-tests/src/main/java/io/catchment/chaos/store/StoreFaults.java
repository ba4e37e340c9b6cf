package io.catchment.chaos.store;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.cluster.Metrics;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.nodes.Exercise;
import io.catchment.chaos.nodes.Shape;
import io.catchment.chaos.storefault.Traffic;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One fault of the object store after the other under a steady load, with a reader of what only the store has. Clients at the tail must not
 * notice; the node must say in its metrics what it is, ask the store less instead of more, keep its memory, and go on by itself afterwards.
 */
final class StoreFaults {
    private static final Logger LOG = LoggerFactory.getLogger(StoreFaults.class);
    /** After a fault: the circuit's longest pause, the flush's longest pause, and then the work. */
    private static final Duration RESUMED = Duration.ofSeconds(60);
    /** What is unflushed while all is well: a roll, a flush. */
    private static final double FLOWS_S = 5;

    /** A fault lasts until the circuit has opened, but no longer: failures in a row take their time where requests keep a distance. */
    private static final Duration OPENED = Duration.ofSeconds(45);

    private static final long SLOW_LINK_BYTES = 200_000;
    private static final Duration CALM = Duration.ofSeconds(5);

    record Plan(List<FaultStep> steps, double timeFactor, long coldBytes, Shape shape) {}

    private record Calm(double p99Ms, long residentBytes) {}

    private record Watch(Duration time, long residentBytes, boolean circuitOpened) {}

    private final CatchmentCluster cluster;
    private final ProxiedStore store;
    private final Plan plan;
    private final Verdict verdict;

    StoreFaults(CatchmentCluster cluster, ProxiedStore store, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.store = store;
        this.plan = plan;
        this.verdict = verdict;
    }

    /** What was seen of each fault, a line each. */
    String run() throws IOException {
        StringBuilder figures = new StringBuilder(FaultSeen.header());
        try (var cold = new ColdReads(
                        cluster, "cold-" + plan.shape.seed(), plan.coldBytes, plan.shape.seed(), verdict);
                var exercise = new Exercise(cluster, "store-faults", plan.shape, verdict)) {
            exercise.awaitFlow(Duration.ofSeconds(30));
            pass(CALM, false);
            awaitResumed("the beginning");
            long from = System.nanoTime();
            long residentBytes = pass(CALM, false).residentBytes;
            var calm = new Calm(exercise.times().waitMs(from, System.nanoTime(), all(), 0.99), residentBytes);
            for (FaultStep step : plan.steps) {
                FaultSeen seen = step(step, exercise, cold, calm);
                figures.append(seen.line());
                seen.check(verdict);
            }
            exercise.finish();
        }
        return figures.toString();
    }

    private FaultSeen step(FaultStep step, Exercise exercise, ColdReads cold, Calm calm) throws IOException {
        LOG.info("{}", step);
        double toldBefore = told(step, cluster.metrics());
        long from = System.nanoTime();
        begin(step);
        Duration time = Duration.ofMillis((long) (step.time().toMillis() * plan.timeFactor));
        Watch watch = pass(time, step.opensCircuit());
        long to = System.nanoTime();
        Metrics during = cluster.metrics();
        int passesBefore = cold.passes();
        end(step);
        long ended = System.nanoTime();
        awaitResumed(step.name());
        double resumedS = (System.nanoTime() - ended) / 1e9;
        if (!Await.within(RESUMED, () -> cold.passes() > passesBefore)) {
            verdict.violation(Violation.Kind.LATE, step + ": what is in the store could not be read afterwards");
        }
        Traffic traffic = store.proxy().traffic();
        return new FaultSeen(
                step,
                watch.time,
                cluster.nodes().size(),
                traffic.requests(step.kinds(), from, to),
                traffic.requestsInWorstSecond(step.kinds(), from, to),
                told(step, during) - toldBefore,
                watch.circuitOpened,
                FlushProgress.oldestUnflushedSeconds(during),
                resumedS,
                exercise.times().waitMs(from, to, all(), 0.99),
                calm.p99Ms,
                watch.residentBytes,
                calm.residentBytes);
    }

    private void begin(FaultStep step) throws IOException {
        step.rules().forEach(rule -> store.proxy().faults().add(rule));
        switch (step) {
            case REFUSED_CONNECTIONS -> store.takeAway();
            case SLOW_LINK -> store.proxy().limitBandwidth(SLOW_LINK_BYTES);
            case ROTATED_KEYS -> store.outdatedKeys();
            default -> {}
        }
    }

    private void end(FaultStep step) throws IOException {
        store.proxy().faults().clear();
        switch (step) {
            case REFUSED_CONNECTIONS -> store.giveBack();
            case SLOW_LINK -> store.proxy().limitBandwidth(0);
            case ROTATED_KEYS -> {
                // the node has looked them up again meanwhile and found the wrong ones: the server itself refuses now
                double before = told(step, cluster.metrics());
                Await.until(
                        "refusal of the outdated keys by the server",
                        RESUMED,
                        Duration.ofMillis(500),
                        () -> told(step, cluster.metrics()) > before);
                store.rightKeys();
            }
            default -> {}
        }
    }

    private static double told(FaultStep step, Metrics metrics) {
        return switch (step.shows()) {
            case CORRUPT_BLOCKS -> metrics.sum("catchment_block_corrupt_total");
            case NOTHING -> 0;
            default ->
                metrics.sum(
                        "catchment_object_requests_seconds_count",
                        "outcome=\"" + step.shows().name().toLowerCase(Locale.ROOT) + "\"");
        };
    }

    /** Lets so much time pass, and more if the circuit is to open and has not yet; looks at the nodes meanwhile. */
    private Watch pass(Duration least, boolean untilOpen) {
        long begin = System.nanoTime();
        double openedBefore = openings();
        Duration most = untilOpen ? least.plus(OPENED) : least;
        long[] resident = {0};
        boolean[] opened = {false};
        Await.within(most.plusSeconds(10), Duration.ofMillis(400), () -> {
            resident[0] = Math.max(resident[0], NodeMemory.residentBytes(cluster));
            opened[0] |= openings() > openedBefore;
            Duration passed = Duration.ofNanos(System.nanoTime() - begin);
            return passed.compareTo(most) >= 0 || (passed.compareTo(least) >= 0 && (opened[0] || !untilOpen));
        });
        return new Watch(Duration.ofNanos(System.nanoTime() - begin), resident[0], opened[0]);
    }

    private double openings() {
        return cluster.metrics().sum("catchment_object_circuit_openings_total");
    }

    private void awaitResumed(String after) {
        double[] last = new double[1];
        boolean resumed = Await.within(RESUMED, Duration.ofMillis(500), () -> {
            last[0] = FlushProgress.oldestUnflushedSeconds(cluster.metrics());
            return last[0] < FLOWS_S * cluster.nodes().size();
        });
        if (!resumed) {
            verdict.violation(
                    Violation.Kind.LATE,
                    "the flush has not caught up within %d s after %s: the oldest is unflushed for %.1f s"
                            .formatted(RESUMED.toSeconds(), after, last[0]));
        }
    }

    private Set<Integer> all() {
        return IntStream.range(0, plan.shape.partitions()).boxed().collect(Collectors.toSet());
    }
}
