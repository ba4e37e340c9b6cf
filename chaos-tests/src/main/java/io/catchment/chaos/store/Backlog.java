package io.catchment.chaos.store;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Metrics;
import io.catchment.chaos.cluster.S3ObjectStore;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.nodes.Exercise;
import io.catchment.chaos.nodes.Shape;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A long outage of the object store, its time compressed: a bulk load fills the WAL to so many unflushed bytes while an urgent and a normal
 * one go on. When the store is back behind a link of known speed, the backlog must drain at nearly that speed, urgent first, and producers
 * must not notice any of it.
 */
final class Backlog {
    private static final Logger LOG = LoggerFactory.getLogger(Backlog.class);
    private static final List<String> CLASSES = List.of("urgent", "normal", "bulk");
    private static final String UNFLUSHED = "catchment_flush_unflushed_bytes";
    private static final String AGE = "catchment_flush_oldest_unflushed_seconds";
    /** Age of what is unflushed although nothing is behind. */
    private static final double CURRENT_S = 15;

    private static final double LINK_SHARE_MIN = 0.8;
    private static final Duration LOOK = Duration.ofMillis(500);

    /**
     * @param backlogBytes unflushed when the store comes back
     * @param linkBytesPerSecond of the link to the store, in each direction
     * @param bytesPerSecond of the steady loads together; a fifth of it urgent
     * @param fillBytesPerSecond of the bulk load while the store is away
     */
    record Plan(
            long backlogBytes,
            long linkBytesPerSecond,
            long bytesPerSecond,
            long fillBytesPerSecond,
            int valueBytes,
            Duration calm,
            long seed) {
        Shape shape(long bytes, long seedOfIt) {
            return new Shape(6, 2, (int) Math.max(2, bytes / valueBytes), valueBytes, false, seedOfIt);
        }
    }

    private final CatchmentCluster cluster;
    private final ProxiedStore store;
    private final Plan plan;
    private final Verdict verdict;
    private final StringBuilder figures = new StringBuilder();

    Backlog(CatchmentCluster cluster, ProxiedStore store, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.store = store;
        this.plan = plan;
        this.verdict = verdict;
    }

    String run() {
        store.proxy().limitBandwidth(plan.linkBytesPerSecond);
        double link = S3ObjectStore.bytesPerSecond(store.uriWithKeys(), Math.min(512L << 20, plan.backlogBytes));
        say("  the client alone puts %.1f MB/s into the store over this link", link / 1e6);
        try (var urgent = new Exercise(
                        cluster,
                        "backlog-urgent",
                        plan.shape(plan.bytesPerSecond / 5, plan.seed),
                        of("urgent"),
                        verdict);
                var normal = new Exercise(
                        cluster,
                        "backlog-normal",
                        plan.shape(plan.bytesPerSecond * 4 / 5, plan.seed + 10),
                        of("normal"),
                        verdict)) {
            Map<String, Exercise> steady = new LinkedHashMap<>();
            steady.put("urgent", urgent);
            steady.put("normal", normal);
            steady.values().forEach(one -> one.awaitFlow(Duration.ofSeconds(30)));
            long calm = System.nanoTime();
            pass(plan.calm);
            long away = System.nanoTime();
            waits("before", steady, calm, away);
            store.takeAway();
            Exercise bulk = fill();
            long back = System.nanoTime();
            waits("without the store", steady, away, back);
            store.giveBack();
            drain(link, back);
            long drained = System.nanoTime();
            waits("while it drained", steady, back, drained);
            pass(plan.calm);
            waits("afterwards", steady, drained, System.nanoTime());
            store.proxy().limitBandwidth(0);
            try (bulk) {
                bulk.finish();
            }
            urgent.finish();
            normal.finish();
        }
        return figures.toString();
    }

    private Exercise fill() {
        var bulk = new Exercise(
                cluster, "backlog-bulk", plan.shape(plan.fillBytesPerSecond, plan.seed + 20), of("bulk"), verdict);
        long start = System.nanoTime();
        Duration limit = Duration.ofSeconds(60 + 4 * plan.backlogBytes / plan.fillBytesPerSecond);
        if (!Await.within(limit, LOOK, () -> cluster.metrics().sum(UNFLUSHED) >= plan.backlogBytes)) {
            throw new IllegalStateException("no such backlog within " + limit + ": "
                    + cluster.metrics().sum(UNFLUSHED) + " bytes are unflushed");
        }
        bulk.stopSending();
        Metrics metrics = cluster.metrics();
        say(
                "  %.2f GB unflushed after %.0f s without the store: %s",
                metrics.sum(UNFLUSHED) / 1e9,
                (System.nanoTime() - start) / 1e9,
                CLASSES.stream()
                        .map(one -> "%s %.2f".formatted(one, metrics.sum(UNFLUSHED, lane(one)) / 1e9))
                        .collect(Collectors.joining(", ")));
        return bulk;
    }

    /** Until nothing is behind; checks the speed and the order. */
    private void drain(double link, long backNanos) {
        Map<String, Double> currentAfterS = new LinkedHashMap<>();
        long upBefore = store.proxy().traffic().figures().bytesUp();
        long[] resumedNanos = {0};
        Duration limit = Duration.ofSeconds(120 + (long) (3 * plan.backlogBytes / (link - plan.bytesPerSecond)));
        boolean drained = Await.within(limit, LOOK, () -> {
            if (resumedNanos[0] == 0 && store.proxy().traffic().figures().bytesUp() > upBefore + (1 << 20)) {
                resumedNanos[0] = System.nanoTime();
            }
            Metrics metrics = cluster.metrics();
            for (String one : CLASSES) {
                if (resumedNanos[0] != 0 && metrics.sum(AGE, lane(one)) < CURRENT_S) {
                    currentAfterS.putIfAbsent(one, (System.nanoTime() - backNanos) / 1e9);
                }
            }
            return currentAfterS.size() == CLASSES.size();
        });
        if (!drained) {
            verdict.violation(Violation.Kind.LATE, "not drained within " + limit + "; current: " + currentAfterS);
            return;
        }
        double seconds = (System.nanoTime() - resumedNanos[0]) / 1e9;
        double rate = (store.proxy().traffic().figures().bytesUp() - upBefore) / seconds;
        say(
                "  uploads again after %.1f s, drained after %.1f s at %.1f MB/s: %.0f %% of the link",
                (resumedNanos[0] - backNanos) / 1e9,
                (System.nanoTime() - backNanos) / 1e9,
                rate / 1e6,
                100 * rate / link);
        say(
                "  nothing behind any more, seconds after the store was back: %s",
                currentAfterS.entrySet().stream()
                        .map(one -> "%s %.1f".formatted(one.getKey(), one.getValue()))
                        .collect(Collectors.joining(", ")));
        if (rate < LINK_SHARE_MIN * link) {
            verdict.violation(
                    Violation.Kind.LATE,
                    "drained at %.1f MB/s, the link gives %.1f MB/s".formatted(rate / 1e6, link / 1e6));
        }
        double urgent = currentAfterS.getOrDefault("urgent", 0.0);
        double last = currentAfterS.values().stream()
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(0);
        if (urgent > (last + (resumedNanos[0] - backNanos) / 1e9) / 2) {
            verdict.violation(
                    Violation.Kind.LATE,
                    "urgent did not go first: current after %.1f of %.1f s".formatted(urgent, last));
        }
    }

    private void waits(String when, Map<String, Exercise> loads, long fromNanos, long toNanos) {
        say(
                "  p99 of produce %s: %s",
                when,
                loads.entrySet().stream()
                        .map(one -> "%s %.1f ms".formatted(one.getKey(), p99(one.getValue(), fromNanos, toNanos)))
                        .collect(Collectors.joining(", ")));
    }

    private static double p99(Exercise load, long fromNanos, long toNanos) {
        Set<Integer> all = IntStream.range(0, load.times().partitions()).boxed().collect(Collectors.toSet());
        return load.times().waitMs(fromNanos, toNanos, all, 0.99);
    }

    private void say(String format, Object... values) {
        String line = String.format(Locale.ROOT, format, values);
        LOG.info("{}", line.strip());
        figures.append(line).append('\n');
    }

    private static void pass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        Await.within(time.plusSeconds(10), LOOK, () -> System.nanoTime() - end >= 0);
    }

    private static Map<String, String> of(String priority) {
        return Map.of("catchment.priority", priority);
    }

    private static String lane(String name) {
        return "lane=\"" + name + "\"";
    }
}
