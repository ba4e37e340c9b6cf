package io.catchment.chaos.scenario;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.HistoryChecker;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Follower;
import io.catchment.chaos.workload.LogReader;
import io.catchment.chaos.workload.StampedProducer;
import io.catchment.chaos.workload.Topics;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A broker owns no data: once everything is flushed, the node's whole WAL directory is deleted, and the node started again must serve
 * all records from the object store, know all group offsets, and go on where the offsets ended (P1, P2).
 */
final class Stateless {
    private static final Logger LOG = LoggerFactory.getLogger(Stateless.class);
    private static final Duration FLUSH = Duration.ofMinutes(5);
    private static final Duration FOLLOW = Duration.ofMinutes(2);

    record Plan(long bytes, int valueBytes, int partitions, long seed) {}

    private final CatchmentServer server;
    private final Plan plan;
    private final Verdict verdict;

    Stateless(CatchmentServer server, Plan plan, Verdict verdict) {
        this.server = server;
        this.plan = plan;
        this.verdict = verdict;
    }

    void run() throws IOException {
        String bootstrap = server.bootstrap();
        String topic = "stateless-" + plan.seed;
        long records = plan.bytes / plan.valueBytes;
        Topics.create(bootstrap, topic, plan.partitions);
        var acks = new AckLog();
        var classic = new Follower(bootstrap, topic, topic + "-classic", "classic", verdict);
        var modern = new Follower(bootstrap, topic, topic + "-consumer", "consumer", verdict);
        try (classic;
                modern) {
            send(topic, records, 0, acks);
            followToTheEnd(classic, acks);
            followToTheEnd(modern, acks);
        }
        FlushProgress.awaitAllFlushed(server.cluster(), FLUSH);
        server.stop();
        if (!Files.isDirectory(server.walDirectory())) {
            throw new IllegalStateException(server.walDirectory() + " is not where the WAL is");
        }
        FileTree.delete(server.walDirectory());
        long start = System.nanoTime();
        server.start();
        LOG.info("started without its WAL in {} ms", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
        classic.checkCommits();
        modern.checkCommits();
        check(topic, acks, Map.of(0, records));
        // and the streams go on
        send(topic, records / 10, 1, acks);
        check(topic, acks, Map.of(0, records, 1, records / 10));
    }

    private void send(String topic, long records, int producer, AckLog acks) {
        long before = acks.count();
        try (var client = new StampedProducer(
                server.bootstrap(),
                topic,
                plan.partitions,
                plan.valueBytes,
                producer,
                plan.seed + producer,
                acks,
                verdict)) {
            client.send(records);
        }
        if (acks.count() - before != records) {
            verdict.violation(
                    Violation.Kind.FAILED, acks.count() - before + " of " + records + " sends were acknowledged");
        }
    }

    private void followToTheEnd(Follower follower, AckLog acks) {
        long deadline = System.nanoTime() + FOLLOW.toNanos();
        while (follower.received() < acks.count()) {
            if (System.nanoTime() > deadline) {
                verdict.violation(
                        Violation.Kind.LATE,
                        "a follower has received %d of %d records".formatted(follower.received(), acks.count()));
                return;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    private void check(String topic, AckLog acks, Map<Integer, Long> sent) {
        var checker = new HistoryChecker(acks, sent, verdict);
        LogReader.readAll(server.bootstrap(), topic, checker);
        LOG.info("read {} of {} acknowledged records", checker.readCount(), acks.count());
    }
}
