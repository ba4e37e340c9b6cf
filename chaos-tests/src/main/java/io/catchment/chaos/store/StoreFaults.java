package io.catchment.chaos.store;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.cluster.Metrics;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.nodes.Exercise;
import io.catchment.chaos.nodes.Shape;
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

    private static final long SLOW_LINK_BYTES = 200_000;
    /** Memory that a failing store may cost. */
    private static final long GROWTH_BYTES = 400L << 20;

    /** Of requests at the proxy during a fault that fails all of them, per node: no retry storm. */
    private static final int WORST_SECOND = 40;

    private static final double MEAN_PER_SECOND = 4;

    record Plan(List<FaultStep> steps, double timeFactor, long coldBytes, Shape shape) {}

    private final CatchmentCluster cluster;
    private final ProxiedStore store;
    private final Plan plan;
    private final Verdict verdict;
    private final StringBuilder figures = new StringBuilder();

    StoreFaults(CatchmentCluster cluster, ProxiedStore store, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.store = store;
        this.plan = plan;
        this.verdict = verdict;
    }

    /** What was seen of each fault, a line each. */
    String run() throws IOException {
        figures.append(String.format(
                Locale.ROOT,
                "  %-20s %10s %12s %14s %9s %9s %8s%n",
                "fault",
                "requests",
                "worst second",
                "told as (n)",
                "resumed s",
                "p99 ms",
                "RSS MB"));
        try (var cold = new ColdReads(
                        cluster, "cold-" + plan.shape.seed(), plan.coldBytes, plan.shape.seed(), verdict);
                var exercise = new Exercise(cluster, "store-faults", plan.shape, verdict)) {
            exercise.awaitFlow(Duration.ofSeconds(30));
            pass(Duration.ofSeconds(5));
            awaitResumed("the beginning");
            long calmBytes = NodeMemory.residentBytes(cluster);
            for (FaultStep step : plan.steps) {
                step(step, exercise, cold, calmBytes);
            }
            exercise.finish();
        }
        return figures.toString();
    }

    private void step(FaultStep step, Exercise exercise, ColdReads cold, long calmBytes) throws IOException {
        LOG.info("{}", step);
        Metrics before = cluster.metrics();
        long from = System.nanoTime();
        int requestsBefore = (int) store.proxy().traffic().figures().allRequests();
        begin(step);
        Duration time = Duration.ofMillis((long) (step.time().toMillis() * plan.timeFactor));
        long worstBytes = pass(time);
        long to = System.nanoTime();
        Metrics during = cluster.metrics();
        int requests = (int) store.proxy().traffic().figures().allRequests() - requestsBefore;
        int worst = store.proxy().traffic().requestsInWorstSecond(from, to);
        double told = told(step, during) - told(step, before);
        int passesBefore = cold.passes();
        end(step);
        long ended = System.nanoTime();
        awaitResumed(step.name());
        double resumedS = (System.nanoTime() - ended) / 1e9;
        if (!Await.within(RESUMED, () -> cold.passes() > passesBefore)) {
            verdict.violation(Violation.Kind.LATE, step + ": what is in the store could not be read afterwards");
        }
        double p99 = exercise.times().waitMs(from, to, all(), 0.99);
        figures.append(String.format(
                Locale.ROOT,
                "  %-20s %10d %12d %14s %9.1f %9.1f %8d%n",
                step.name().toLowerCase(Locale.ROOT).replace('_', '-'),
                requests,
                worst,
                step.shows().name().toLowerCase(Locale.ROOT) + " " + Math.round(told),
                resumedS,
                p99,
                worstBytes >> 20));
        check(step, time, during, requests, worst, told);
        if (worstBytes > calmBytes + GROWTH_BYTES) {
            verdict.violation(
                    Violation.Kind.FAILED,
                    "%s: the node took %d MB, before the faults %d MB"
                            .formatted(step, worstBytes >> 20, calmBytes >> 20));
        }
    }

    private void check(FaultStep step, Duration time, Metrics during, int requests, int worst, double told) {
        if (step.shows() != FaultStep.Show.NOTHING && told < 1) {
            verdict.violation(Violation.Kind.FAILED, step + " is not in the metrics as " + step.shows());
        }
        if (!step.stopsFlush()) {
            return;
        }
        double unflushedS = FlushProgress.oldestUnflushedSeconds(during);
        if (unflushedS < time.toMillis() / 2000.0) {
            throw new IllegalStateException(
                    "%s did not stop the flush: the oldest is unflushed for %.1f s".formatted(step, unflushedS));
        }
        int nodes = cluster.nodes().size();
        double allowed = nodes * (WORST_SECOND + MEAN_PER_SECOND * time.toSeconds());
        if (worst > nodes * WORST_SECOND || requests > allowed) {
            verdict.violation(
                    Violation.Kind.FAILED,
                    "%s: a retry storm: %d requests in %d s, %d in one second"
                            .formatted(step, requests, time.toSeconds(), worst));
        }
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

    /** Lets time pass; the most memory that a node had meanwhile. */
    private long pass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        long[] worst = {0};
        Await.within(time.plusSeconds(10), Duration.ofMillis(250), () -> {
            worst[0] = Math.max(worst[0], NodeMemory.residentBytes(cluster));
            return System.nanoTime() - end >= 0;
        });
        return worst[0];
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
