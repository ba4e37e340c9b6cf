package io.catchment.chaos.scenario;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.Server;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.HistoryChecker;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Follower;
import io.catchment.chaos.workload.LogReader;
import io.catchment.chaos.workload.Topics;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kills the node with -9 at random moments of a load and starts it again, then reads everything back: P1, P2 and the committed
 * group offsets must hold. Each round has a topic and two groups (one of each protocol) of its own.
 */
final class KillCycle {
    private static final Logger LOG = LoggerFactory.getLogger(KillCycle.class);
    private static final Duration ROUND = Duration.ofMinutes(15);

    /**
     * @param perfTest the load is the stock kafka-producer-perf-test instead of our own producer
     * @param kills per round
     */
    record Plan(int rounds, int kills, long bytes, int valueBytes, int partitions, long seed, boolean perfTest) {
        Plan {
            if (rounds < 1 || kills < 1 || valueBytes < 16 || partitions < 1 || bytes < valueBytes) {
                throw new IllegalArgumentException("rounds, kills, partitions from 1, values from 16 bytes");
            }
        }

        long records() {
            return bytes / valueBytes;
        }
    }

    private final Server server;
    private final Plan plan;
    private final Verdict verdict;

    KillCycle(Server server, Plan plan, Verdict verdict) {
        this.server = server;
        this.plan = plan;
        this.verdict = verdict;
    }

    void run(Path scratch) throws IOException {
        for (int round = 0; round < plan.rounds; round++) {
            round(round, scratch);
            if (!verdict.clean()) {
                LOG.error("round {} of seed {}: {}", round, plan.seed, verdict.describe());
                return;
            }
        }
    }

    private void round(int round, Path scratch) throws IOException {
        var random = new SplittableRandom(plan.seed * 31 + round);
        String topic = "kill-" + plan.seed + "-" + round;
        String bootstrap = server.bootstrap();
        Topics.create(bootstrap, topic, plan.partitions);
        var acks = new AckLog();
        long start = System.nanoTime();
        try (Follower classic = new Follower(bootstrap, topic, topic + "-classic", "classic", verdict);
                Follower modern = new Follower(bootstrap, topic, topic + "-consumer", "consumer", verdict);
                Load load = load(bootstrap, topic, random.nextLong(), scratch, acks)) {
            killAtRandomMoments(random, load);
            load.join(ROUND);
            Await.within(
                    Duration.ofSeconds(60),
                    () -> classic.received() >= load.acknowledged() && modern.received() >= load.acknowledged());
            classic.finish();
            modern.finish();
            check(topic, acks, load, classic, modern);
        }
        LOG.info(
                "round {}: {} records acknowledged, {} s",
                round,
                acks.count(),
                TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start));
        Topics.delete(bootstrap, topic);
    }

    private Load load(String bootstrap, String topic, long seed, Path scratch, AckLog acks) throws IOException {
        return plan.perfTest
                ? new PerfTestLoad(
                        bootstrap,
                        topic,
                        plan.records(),
                        plan.valueBytes,
                        scratch.resolve(topic + ".acks"),
                        acks,
                        verdict)
                : new StampedLoad(
                        bootstrap, topic, plan.partitions, plan.records(), plan.valueBytes, seed, acks, verdict);
    }

    private void killAtRandomMoments(SplittableRandom random, Load load) {
        long[] moments = new long[plan.kills];
        Arrays.setAll(moments, i -> (long) (plan.records() * random.nextDouble(0.05, 0.95)));
        Arrays.sort(moments);
        for (long moment : moments) {
            long deadline = System.nanoTime() + ROUND.toNanos();
            while (load.acknowledged() < moment && load.running()) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException(
                            load.acknowledged() + " records after " + ROUND + ", waited for " + moment);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
            LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextInt(50_000)));
            LOG.info("kill -9 after {} acknowledged records", load.acknowledged());
            server.kill();
            server.start();
        }
    }

    private void check(String topic, AckLog acks, Load load, Follower... followers) throws IOException {
        load.collect();
        if (acks.count() != plan.records()) {
            verdict.violation(
                    Violation.Kind.FAILED, acks.count() + " of " + plan.records() + " sends were acknowledged");
        }
        var checker = new HistoryChecker(acks, load.sentByProducer(), verdict);
        LogReader.readAll(server.bootstrap(), topic, checker);
        for (Follower follower : followers) {
            if (follower.received() < acks.count()) {
                verdict.violation(
                        Violation.Kind.LOST,
                        "a follower has received %d of %d records".formatted(follower.received(), acks.count()));
            }
            follower.checkCommits();
        }
        LOG.info("read {} records, {} of them never acknowledged", checker.readCount(), checker.unacknowledgedCount());
    }
}
