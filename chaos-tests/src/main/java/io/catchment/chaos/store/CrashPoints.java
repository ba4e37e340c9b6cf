package io.catchment.chaos.store;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.HistoryChecker;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.storefault.RequestKind;
import io.catchment.chaos.storefault.Trap;
import io.catchment.chaos.workload.LogReader;
import io.catchment.chaos.workload.StampedProducer;
import io.catchment.chaos.workload.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * kill -9 of the only node at one point after the other of what it does to the object store, exactly there: the proxy holds the request. After
 * each, once what a crash may leave had its time, the bucket is what the catalog says (O2, O3) and every acknowledged record is there (P2).
 */
final class CrashPoints {
    private static final Logger LOG = LoggerFactory.getLogger(CrashPoints.class);
    private static final int NODE = 1;
    private static final int PARTITIONS = 2;
    private static final int VALUE_BYTES = 4096;
    private static final int PER_SECOND = 20;
    /** A merged object has eight ranges; a flushed one three records or so. */
    private static final long MERGED_BYTES_MIN = 40 << 10;

    private static final Duration REACHED = Duration.ofSeconds(60);
    private static final Duration SETTLED = Duration.ofSeconds(60);

    static final long UPLOAD_LIMIT_MS = 8_000;

    /** Extents that roll soon, merges of few ranges, short times of grace. */
    static final Map<String, String> SETTINGS = Map.of(
            "catchment.wal.roll.ms", "100",
            "catchment.merge.fan.in", "8",
            "catchment.merge.look.ms", "200",
            "catchment.object.upload.limit.ms", String.valueOf(UPLOAD_LIMIT_MS),
            "catchment.object.delete.grace.ms", "500",
            // deletes wait for snapshots
            "catchment.state.snapshot.ms", "500");

    record Plan(List<CrashPoint> points, long seed) {}

    private final CatchmentCluster cluster;
    private final ProxiedStore store;
    private final Plan plan;
    private final Verdict verdict;
    private final String topic;
    private final AckLog acks = new AckLog();
    private final Map<Integer, Long> sent = new HashMap<>();
    private final StringBuilder figures = new StringBuilder();

    CrashPoints(CatchmentCluster cluster, ProxiedStore store, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.store = store;
        this.plan = plan;
        this.verdict = verdict;
        this.topic = "crash-" + plan.seed;
    }

    /** What each crash left, a line each. */
    String run() {
        figures.append(String.format(
                Locale.ROOT, "  %-18s %10s %16s %12s%n", "killed at", "ready s", "pending, doomed", "clean after s"));
        Topics.create(cluster.bootstrap(), topic, PARTITIONS);
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
        ProcessHandle node = ProcessHandle.of(cluster.pid(NODE)).orElseThrow();
        long readBefore = gets();
        long bytesMin = point.work() == CrashPoint.Work.MERGE && point.kind() == RequestKind.PUT ? MERGED_BYTES_MIN : 0;
        Trap trap = store.proxy().faults().trap(point.kind(), point.moment(), 1, bytesMin, () -> kill(node));
        var work = new Work(point);
        try {
            if (!trap.await(REACHED)) {
                store.proxy().faults().removeTrap();
                throw new IllegalStateException("the node has sent no request for " + point);
            }
            if (point.work() == CrashPoint.Work.MERGE && gets() == readBefore) {
                throw new IllegalStateException("what was sent at " + point + " was no merge: nothing was read before");
            }
            store.proxy().faults().removeTrap();
            store.proxy().resetAll();
            cluster.kill(NODE); // it is dead; the driver has to know
            long started = System.nanoTime();
            cluster.start(NODE);
            double readyS = (System.nanoTime() - started) / 1e9;
            String report = verified();
            noneMissing(point, report);
            String left = count(report, "pendingObjects") + ", " + count(report, "doomedObjects");
            work.end();
            FlushProgress.awaitAllFlushed(cluster, SETTLED);
            double cleanS = awaitClean(point, started);
            figures.append(String.format(
                    Locale.ROOT,
                    "  %-18s %10.1f %16s %12.1f%n",
                    point.name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    readyS,
                    left,
                    cleanS));
        } finally {
            work.end();
        }
        var checker = new HistoryChecker(acks, sent, verdict);
        LogReader.readAll(cluster.bootstrap(), topic, checker);
        LOG.info("{}: read {} of {} acknowledged records", point, checker.readCount(), acks.count());
    }

    private static void kill(ProcessHandle node) {
        node.destroyForcibly();
        Await.until("death of the node", Duration.ofSeconds(10), () -> !node.isAlive());
    }

    private long gets() {
        return store.proxy().traffic().figures().requests(RequestKind.GET);
    }

    /** Nothing pending, nothing doomed, no orphan, nothing missing: what the crash left is gone. */
    private double awaitClean(CrashPoint point, long sinceNanos) {
        String[] last = new String[1];
        boolean clean = Await.within(SETTLED.plusMillis(2 * UPLOAD_LIMIT_MS), Duration.ofMillis(500), () -> {
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

    /** What makes the node come to the point, on a thread of its own until ended. */
    private final class Work {
        private final Thread thread;
        private volatile boolean stop;

        Work(CrashPoint point) {
            int number = sent.size();
            sent.put(number, 0L);
            thread = new Thread(() -> run(point, number), "work-" + point);
            thread.start();
        }

        private void run(CrashPoint point, int number) {
            try {
                switch (point.work()) {
                    case FLUSH, MERGE -> produce(number);
                    case DELETE -> deleteTopic(number);
                    case LIST -> verified();
                }
            } catch (RuntimeException failed) {
                LOG.info("{} ended: {}", point, failed.toString());
            }
        }

        private void produce(int number) {
            try (var producer = new StampedProducer(
                    cluster.bootstrap(), topic, PARTITIONS, VALUE_BYTES, number, plan.seed + number, acks, verdict)) {
                producer.sendAtRate(PER_SECOND, () -> stop);
                sent.put(number, producer.sentCount());
            }
        }

        /** One that has objects of its own. */
        private void deleteTopic(int number) {
            String doomed = topic + "-doomed-" + number;
            Topics.create(cluster.bootstrap(), doomed, 1);
            var unchecked = new Verdict();
            try (var producer = new StampedProducer(
                    cluster.bootstrap(), doomed, 1, VALUE_BYTES, 0, plan.seed, new AckLog(), unchecked)) {
                producer.send(100);
            }
            FlushProgress.awaitAllFlushed(cluster, SETTLED);
            Topics.delete(cluster.bootstrap(), doomed);
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
