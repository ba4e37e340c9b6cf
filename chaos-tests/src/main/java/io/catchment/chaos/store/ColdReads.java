package io.catchment.chaos.store;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.HistoryChecker;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.LogReader;
import io.catchment.chaos.workload.StampedProducer;
import io.catchment.chaos.workload.Topics;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A topic that is in the object store only, and a reader that reads it again and again: wants a node with small caches that keeps no flushed
 * extents. Each pass checks every record. Owned by the thread that runs the scenario.
 */
final class ColdReads implements AutoCloseable {
    private static final int PARTITIONS = 4;
    private static final int VALUE_BYTES = 4096;

    private final String bootstrap;
    private final String topic;
    private final long records;
    private final AckLog acks = new AckLog();
    private final Verdict verdict;
    private final Thread thread;
    private final AtomicInteger passes = new AtomicInteger();
    private volatile boolean stop;
    private volatile @Nullable RuntimeException failure;

    /** Fills the topic and waits until it is flushed, then starts reading. */
    ColdReads(CatchmentCluster cluster, String topic, long bytes, long seed, Verdict verdict) {
        this.bootstrap = cluster.bootstrap();
        this.topic = topic;
        this.records = bytes / VALUE_BYTES;
        this.verdict = verdict;
        Topics.create(bootstrap, topic, PARTITIONS);
        try (var producer = new StampedProducer(bootstrap, topic, PARTITIONS, VALUE_BYTES, 0, seed, acks, verdict)) {
            producer.send(records);
        }
        FlushProgress.awaitAllFlushed(cluster, Duration.ofMinutes(2));
        thread = new Thread(this::run, "cold-reads");
        thread.start();
    }

    /** Whole passes since the beginning. */
    int passes() {
        return passes.get();
    }

    private void run() {
        while (!stop) {
            try {
                LogReader.readAll(bootstrap, topic, new HistoryChecker(acks, Map.of(0, records), verdict));
                passes.incrementAndGet();
            } catch (RuntimeException failed) {
                // a minute without a record; whether that may be is the fault's matter
                failure = failed;
            }
        }
    }

    /** Ends with the pass under way. */
    @Override
    public void close() {
        stop = true;
        try {
            thread.join(Duration.ofMinutes(2).toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        RuntimeException last = failure;
        if (thread.isAlive()) {
            verdict.violation(Violation.Kind.LATE, "a pass over the cold topic does not end");
        } else if (last != null && passes.get() == 0) {
            verdict.violation(Violation.Kind.FAILED, "the cold topic was never read: " + last);
        }
    }
}
