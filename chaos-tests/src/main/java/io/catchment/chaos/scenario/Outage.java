package io.catchment.chaos.scenario;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.cluster.ObjectStoreServer;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.HistoryChecker;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Follower;
import io.catchment.chaos.workload.Latencies;
import io.catchment.chaos.workload.LogReader;
import io.catchment.chaos.workload.StampedProducer;
import io.catchment.chaos.workload.Topics;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The object store goes away during a steady load with a group at the tail. Producers and tail consumers must not notice; when it is
 * back the flush must catch up by itself and the WAL must shrink again. Wants a node that keeps no flushed extents
 * ({@code catchment.wal.hot.bytes=0}), or its WAL would rightly not shrink.
 */
final class Outage {
    private static final Logger LOG = LoggerFactory.getLogger(Outage.class);
    private static final Duration WARM_UP = Duration.ofSeconds(3);

    /**
     * @param calm time with the store before it goes: the latencies to compare with
     * @param catchUp how long the flush may take after it is back
     */
    record Plan(
            double megabytesPerSecond,
            int valueBytes,
            int partitions,
            Duration calm,
            Duration away,
            Duration catchUp,
            long seed) {
        int recordsPerSecond() {
            return (int) (megabytesPerSecond * 1e6 / valueBytes);
        }
    }

    private final CatchmentServer server;
    private final ObjectStoreServer store;
    private final Plan plan;
    private final Verdict verdict;

    Outage(CatchmentServer server, ObjectStoreServer store, Plan plan, Verdict verdict) {
        this.server = server;
        this.store = store;
        this.plan = plan;
        this.verdict = verdict;
    }

    void run() {
        String bootstrap = server.bootstrap();
        String topic = "outage-" + plan.seed;
        Topics.create(bootstrap, topic, plan.partitions);
        var acks = new AckLog();
        long sent;
        double walBytesAtWorst;
        try (var follower = new Follower(bootstrap, topic, topic + "-group", "consumer", verdict);
                var producer = new StampedProducer(
                        bootstrap, topic, plan.partitions, plan.valueBytes, 0, plan.seed, acks, verdict)) {
            sendFor(producer, WARM_UP);
            follower.resetLatencies();
            sendFor(producer, plan.calm);
            Latencies calm = follower.resetLatencies();
            LOG.info("with the object store: {}", calm.describe());

            store.takeAway();
            sendFor(producer, plan.away);
            Latencies away = follower.resetLatencies();
            LOG.info("without it: {}", away.describe());
            noticedByTheNode();
            unnoticedByConsumers(calm, away);
            walBytesAtWorst = FlushProgress.walBytes(server.metrics());

            store.giveBack();
            long back = System.nanoTime();
            FlushProgress.awaitCaughtUp(server, plan.away.dividedBy(2).plusSeconds(1), plan.catchUp);
            LOG.info(
                    "caught up {} ms after the object store was back",
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - back));
            Await.within(Duration.ofSeconds(60), () -> follower.received() >= acks.count());
            follower.finish();
            follower.checkCommits();
            sent = producer.sentCount();
        }
        if (acks.count() != sent) {
            verdict.violation(Violation.Kind.FAILED, acks.count() + " of " + sent + " sends were acknowledged");
        }
        if (!Await.within(
                Duration.ofSeconds(30), () -> FlushProgress.walBytes(server.metrics()) < walBytesAtWorst / 2)) {
            verdict.violation(
                    Violation.Kind.LATE,
                    "the WAL held %.0f bytes at the end of the outage and still holds %.0f"
                            .formatted(walBytesAtWorst, FlushProgress.walBytes(server.metrics())));
        }
        var checker = new HistoryChecker(acks, Map.of(0, sent), verdict);
        LogReader.readAll(bootstrap, topic, checker);
        LOG.info("read {} of {} acknowledged records", checker.readCount(), acks.count());
    }

    private void sendFor(StampedProducer producer, Duration time) {
        long start = System.nanoTime();
        producer.sendAtRate(plan.recordsPerSecond(), () -> System.nanoTime() - start >= time.toNanos());
    }

    /** Else there was no outage, and the run shows nothing. */
    private void noticedByTheNode() {
        double unflushed = FlushProgress.oldestUnflushedSeconds(server.metrics());
        if (unflushed < plan.away.toMillis() / 2000.0) {
            throw new IllegalStateException(
                    "the node did not miss its object store: after %d s without it data is unflushed for %.1f s"
                            .formatted(plan.away.toSeconds(), unflushed));
        }
    }

    /** Generous, for machines that do other things as well: an outage that reaches the tail costs seconds, not milliseconds. */
    private void unnoticedByConsumers(Latencies calm, Latencies away) {
        double limit = Math.max(5 * calm.percentileMs(0.99), 250);
        if (away.percentileMs(0.99) > limit) {
            verdict.violation(
                    Violation.Kind.LATE,
                    "tail latency during the outage: p99 %.1f ms, before %.1f ms"
                            .formatted(away.percentileMs(0.99), calm.percentileMs(0.99)));
        }
    }
}
