package io.catchment.chaos.store;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.storefault.RequestKind;
import io.catchment.chaos.storefault.Trap;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * kill -9 of a node at one point after the other of what it does to the object store, exactly there: the proxy holds the request, and the node that sent it
 * dies. After each, once what a crash may leave had its time, the bucket is what the catalog says (O2, O3) and every acknowledged record is
 * there (P2).
 */
final class CrashPoints {
    private static final Logger LOG = LoggerFactory.getLogger(CrashPoints.class);

    /** Two days' ranges, compressed: a stream needs some hundred of them before it has a manifest. */
    private static final Duration REACHED = Duration.ofSeconds(150);

    private static final Duration SETTLED = Duration.ofSeconds(60);

    /** @param uploadLimitMs as the nodes have it */
    record Plan(List<CrashPoint> points, long uploadLimitMs, long seed) {}

    private final CatchmentCluster cluster;
    private final ProxiedStore store;
    private final Plan plan;
    private final Verdict verdict;
    private final CrashWork work;
    private final StringBuilder figures = new StringBuilder();

    CrashPoints(CatchmentCluster cluster, ProxiedStore store, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.store = store;
        this.plan = plan;
        this.verdict = verdict;
        this.work = new CrashWork(cluster, plan.seed, verdict);
    }

    /** What each crash left, a line each. */
    String run() {
        figures.append(String.format(
                Locale.ROOT,
                "  %-22s %6s %10s %16s %12s%n",
                "killed at",
                "node",
                "ready s",
                "pending, doomed",
                "clean after s"));
        for (CrashPoint point : plan.points) {
            crash(point);
        }
        return figures.toString();
    }

    private void crash(CrashPoint point) {
        LOG.info("{}", point);
        if (point.work() == CrashPoint.Work.DELETE || point.work() == CrashPoint.Work.LIST) {
            FlushProgress.awaitAllFlushed(cluster, SETTLED);
        }
        Map<Integer, Long> pids = new HashMap<>();
        cluster.nodes().forEach(node -> pids.put(node, cluster.pid(node)));
        AtomicInteger victim = new AtomicInteger();
        long readBefore = gets();
        // What is written anew was read before; a flush of a node that was held up may be as large
        Trap trap = store.proxy()
                .faults()
                .trap(
                        (kind, target, bytes) -> point.is(kind, target, bytes)
                                && (!point.work().readsFirst() || kind == RequestKind.GET || gets() > readBefore),
                        point.moment(),
                        1,
                        port -> victim.set(killWhoSent(point, port, pids)));
        var running = new Running(point);
        try {
            if (!trap.await(REACHED)) {
                store.proxy().faults().removeTrap();
                throw new IllegalStateException("no node has sent a request for " + point);
            }
            store.proxy().faults().removeTrap();
            store.proxy().resetAll();
            int node = victim.get();
            cluster.kill(node); // it is dead; the driver has to know
            long started = System.nanoTime();
            cluster.start(node);
            double readyS = (System.nanoTime() - started) / 1e9;
            String report = verified();
            noneMissing(point, report);
            String left = count(report, "pendingObjects") + ", " + count(report, "doomedObjects");
            running.end();
            FlushProgress.awaitAllFlushed(cluster, SETTLED);
            double cleanS = awaitClean(point, started);
            figures.append(String.format(
                    Locale.ROOT,
                    "  %-22s %6d %10.1f %16s %12.1f%n",
                    point.name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    node,
                    readyS,
                    left,
                    cleanS));
        } finally {
            running.end();
        }
        LOG.info("{}: read {} records", point, work.check());
    }

    private static int killWhoSent(CrashPoint point, int port, Map<Integer, Long> pids) {
        long pid = SocketOwner.of(port, pids.values())
                .orElseThrow(() -> new IllegalStateException("no node has the connection that sent " + point));
        ProcessHandle node = ProcessHandle.of(pid).orElseThrow();
        node.destroyForcibly();
        Await.until("death of the node", Duration.ofSeconds(10), () -> !node.isAlive());
        return pids.entrySet().stream()
                .filter(each -> each.getValue() == pid)
                .findFirst()
                .orElseThrow()
                .getKey();
    }

    private long gets() {
        return store.proxy().traffic().figures().requests(RequestKind.GET);
    }

    /** Nothing pending, nothing doomed, no orphan, nothing missing: what the crash left is gone. */
    private double awaitClean(CrashPoint point, long sinceNanos) {
        String[] last = new String[1];
        boolean clean = Await.within(SETTLED.plusMillis(2 * plan.uploadLimitMs), Duration.ofMillis(500), () -> {
            last[0] = verified();
            noneMissing(point, last[0]);
            return last[0].contains("\"clean\":true")
                    && count(last[0], "pendingObjects") == 0
                    && count(last[0], "doomedObjects") == 0;
        });
        if (!clean) {
            verdict.violation(
                    Violation.Kind.LATE, point + ": the store does not become what the catalog says: " + last[0]);
        }
        return (System.nanoTime() - sinceNanos) / 1e9;
    }

    private void noneMissing(CrashPoint point, String report) {
        if (count(report, "missingTotal") + count(report, "wrongSizeTotal") + count(report, "danglingTotal") > 0) {
            verdict.violation(Violation.Kind.LOST, point + ": objects of the catalog are not in the store: " + report);
        }
    }

    /** The report, clean or not. */
    private String verified() {
        try {
            return cluster.verifyStore();
        } catch (IllegalStateException notClean) {
            return String.valueOf(notClean.getMessage());
        }
    }

    private static long count(String report, String field) {
        Matcher matcher = Pattern.compile("\"" + field + "\":(\\d+)").matcher(report);
        if (!matcher.find()) {
            throw new IllegalStateException("verify-store said: " + report);
        }
        return Long.parseLong(matcher.group(1));
    }

    /** The work for a point, on a thread of its own until ended. */
    private final class Running {
        private final Thread thread;
        private volatile boolean stop;

        Running(CrashPoint point) {
            thread = new Thread(
                    () -> {
                        try {
                            work.run(point.work(), () -> stop);
                        } catch (RuntimeException failed) {
                            LOG.info("{} ended: {}", point, failed.toString());
                        }
                    },
                    "work-" + point);
            thread.start();
        }

        void end() {
            stop = true;
            try {
                thread.join(Duration.ofMinutes(3).toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (thread.isAlive()) {
                throw new IllegalStateException(thread.getName() + " does not end");
            }
        }
    }
}
