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
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * What makes nodes come to crash points, and the check of all that it wrote. One piece of work at a time; its topics are made when they are first
 * needed.
 */
final class CrashWork {
    private static final int PARTITIONS = 2;
    private static final int VALUE_BYTES = 4096;
    private static final int PER_SECOND = 20;
    /** Of the topic with many ranges: an extent's object is far smaller than a manifest of them. */
    private static final int SMALL_VALUE_BYTES = 400;
    /** So that one extent has more than what a range needs to stay as it is. */
    private static final int BURST_RECORDS = 20_000;

    private static final int SMALL_SECONDS = 12;
    private static final Duration DELETED_TIME = Duration.ofSeconds(4);
    private static final Duration FLUSHED = Duration.ofSeconds(60);

    private final CatchmentCluster cluster;
    private final long seed;
    private final Verdict verdict;
    private final Map<String, Log> logs = new HashMap<>();
    private final KeyedUpdates keyed;
    private final String keyedTopic;
    private boolean keyedThere;
    private int works;

    /** A topic of stamped records and all that was sent to it. */
    private record Log(int partitions, int valueBytes, AckLog acks, Map<Integer, Long> sent) {}

    CrashWork(CatchmentCluster cluster, long seed, Verdict verdict) {
        this.cluster = cluster;
        this.seed = seed;
        this.verdict = verdict;
        this.keyedTopic = "crash-keys-" + seed;
        this.keyed = new KeyedUpdates(cluster.bootstrap(), keyedTopic, seed, verdict);
    }

    /** Goes on until told to stop, or until it is done; ends with all its sends answered. */
    void run(CrashPoint.Work work, BooleanSupplier stop) {
        int number = works++;
        switch (work) {
            case FLUSH, MERGE -> produce(log("crash-" + seed, PARTITIONS, VALUE_BYTES), "crash-" + seed, number, stop);
            case COMPACTION -> update(stop);
            case MANIFEST -> manyRanges(number, stop);
            case DELETE -> deleteTopic(number);
            case LIST -> cluster.verifyStore();
        }
    }

    private Log log(String topic, int partitions, int valueBytes) {
        return logs.computeIfAbsent(topic, name -> {
            Topics.create(cluster.bootstrap(), name, partitions);
            return new Log(partitions, valueBytes, new AckLog(), new HashMap<>());
        });
    }

    private void produce(Log log, String topic, int number, BooleanSupplier stop) {
        try (var producer = producer(log, topic, number)) {
            producer.sendAtRate(PER_SECOND, stop::getAsBoolean);
            log.sent.put(number, producer.sentCount());
        }
    }

    private StampedProducer producer(Log log, String topic, int number) {
        log.sent.put(number, 0L);
        return new StampedProducer(
                cluster.bootstrap(), topic, log.partitions, log.valueBytes, number, seed + number, log.acks, verdict);
    }

    private void update(BooleanSupplier stop) {
        if (!keyedThere) {
            Topics.create(cluster.bootstrap(), keyedTopic, 1, KeyedUpdates.TOPIC_CONFIG);
            keyedThere = true;
        }
        keyed.sendUntil(stop);
    }

    /** Small ranges, each alone in its object, then one that is large enough to let them go to a manifest, and so on. */
    private void manyRanges(int number, BooleanSupplier stop) {
        String topic = "crash-ranges-" + seed;
        Log log = log(topic, 1, SMALL_VALUE_BYTES);
        try (var producer = producer(log, topic, number)) {
            while (!stop.getAsBoolean()) {
                long until =
                        System.nanoTime() + Duration.ofSeconds(SMALL_SECONDS).toNanos();
                producer.sendAtRate(PER_SECOND, () -> stop.getAsBoolean() || System.nanoTime() - until > 0);
                if (!stop.getAsBoolean()) {
                    producer.send(BURST_RECORDS);
                }
            }
            log.sent.put(number, producer.sentCount());
        }
    }

    /** One that has some objects of its own. */
    private void deleteTopic(int number) {
        String doomed = "crash-doomed-" + seed + "-" + number;
        Topics.create(cluster.bootstrap(), doomed, 1);
        var unchecked = new Verdict();
        try (var producer =
                new StampedProducer(cluster.bootstrap(), doomed, 1, VALUE_BYTES, 0, seed, new AckLog(), unchecked)) {
            long until = System.nanoTime() + DELETED_TIME.toNanos();
            producer.sendAtRate(2 * PER_SECOND, () -> System.nanoTime() - until > 0);
        }
        FlushProgress.awaitAllFlushed(cluster, FLUSHED);
        Topics.delete(cluster.bootstrap(), doomed);
    }

    /** Every acknowledged record of all topics is there, of the compacted one the last of each key; how many were read. */
    long check() {
        long read = 0;
        for (Map.Entry<String, Log> each : logs.entrySet()) {
            var checker = new HistoryChecker(each.getValue().acks, each.getValue().sent, verdict);
            LogReader.readAll(cluster.bootstrap(), each.getKey(), checker);
            read += checker.readCount();
            if (checker.readCount() < each.getValue().acks.count()) {
                verdict.violation(
                        Violation.Kind.LOST,
                        each.getKey() + ": " + checker.readCount() + " of "
                                + each.getValue().acks.count() + " acknowledged records");
            }
        }
        return keyedThere ? read + keyed.check() : read;
    }
}
