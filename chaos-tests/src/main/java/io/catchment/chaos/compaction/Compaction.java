package io.catchment.chaos.compaction;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.KafkaServer;
import io.catchment.chaos.cluster.Metrics;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The same records in a compacted topic of Catchment and, for comparison, of Apache Kafka. Checked on both: last values of all keys, before and after compaction
 * and after deletions; tombstones go when their time is over; the offsets API after DeleteRecords and compaction.
 */
final class Compaction {
    private static final Logger LOG = LoggerFactory.getLogger(Compaction.class);
    private static final String TOPIC = "updates";
    private static final String DELETED = "deleted-and-compacted";
    private static final long DELETE_RETENTION_MS = 5_000;
    private static final Duration PAUSE = Duration.ofSeconds(4);
    private static final int FIRST_NUDGE = 1_000;
    /** One key in so many is deleted in the end. */
    private static final int DELETED_ONE_IN = 10;

    record Plan(int keys, int updates, int valueBytes, int partitions, int minutes, long seed) {}

    private final CatchmentServer catchment;
    private final @Nullable KafkaServer kafka;
    private final Plan plan;
    private final Verdict verdict;
    /** Catchment first. */
    private final List<Side> sides = new ArrayList<>();

    private int nudges = FIRST_NUDGE;

    private record Side(String name, String bootstrap, OffsetsApi api) {}

    /** @param kafka null: Catchment is only held against what was sent */
    Compaction(CatchmentServer catchment, @Nullable KafkaServer kafka, Plan plan, Verdict verdict) {
        this.catchment = catchment;
        this.kafka = kafka;
        this.plan = plan;
        this.verdict = verdict;
    }

    void run() {
        sides.add(new Side(catchment.name(), catchment.bootstrap(), new OffsetsApi(catchment.bootstrap())));
        KafkaServer other = kafka;
        if (other != null) {
            Side theirs = new Side(other.name(), other.bootstrap(), new OffsetsApi(other.bootstrap()));
            sides.add(theirs);
            theirs.api.set(new ConfigResource(ConfigResource.Type.BROKER, "1"), "log.cleaner.backoff.ms", "1000");
        }
        try {
            lastValuesStay();
            offsetsAreEqual();
        } finally {
            sides.forEach(side -> side.api.close());
        }
    }

    /** Of a node that flushes and compacts as soon as it can; what was asked for goes over it. */
    static Map<String, String> settings(Map<String, String> asked) {
        Map<String, String> all = new HashMap<>(Map.of(
                "catchment.wal.roll.ms",
                "1000",
                "catchment.merge.look.ms",
                "1000",
                "catchment.compaction.dirty.min.ranges",
                "1"));
        all.putAll(asked);
        return all;
    }

    private static Map<String, String> config(String policy) {
        return Map.of(
                "cleanup.policy",
                policy,
                "min.cleanable.dirty.ratio",
                "0.1",
                "delete.retention.ms",
                String.valueOf(DELETE_RETENTION_MS),
                // Kafka cleans whole segments only, and ends one by time when a record comes
                "segment.bytes",
                String.valueOf(16 << 20),
                "segment.ms",
                "2000",
                // the times of the records are long ago
                "retention.ms",
                "-1");
    }

    // ---- last values

    private void lastValuesStay() {
        sides.forEach(side -> side.api.create(TOPIC, plan.partitions, config("compact")));
        var updates = new Updates(TOPIC, plan.keys, plan.partitions, plan.valueBytes, plan.seed);
        for (Side side : sides) {
            long since = System.nanoTime();
            for (int round = 0; round < plan.updates; round++) {
                updates.send(side.bootstrap, round, false, key -> true);
            }
            LOG.info("{} records to {} in {} s", (long) plan.keys * plan.updates, side.name, secondsSince(since));
        }
        int[] expected = new int[plan.keys];
        Arrays.fill(expected, plan.updates - 1);
        compare("after all updates", expected);
        // What is dirty and not dirty enough is left, and Kafka's last segment
        nudgeUntil(
                "not much but last values", updates, expected, seen -> seen.records() <= plan.keys * 3L / 2 + 20_000);
        compare("compacted", expected);

        int deletions = nudges++;
        sides.forEach(side -> updates.send(side.bootstrap, deletions, true, key -> key % DELETED_ONE_IN == 0));
        for (int key = 0; key < plan.keys; key += DELETED_ONE_IN) {
            expected[key] = -1;
        }
        compare("after deletions", expected);
        nudgeUntil("no tombstone", updates, expected, seen -> seen.tombstones() == 0);
        compare("after the tombstones' time", expected);
        reportWork();
    }

    private interface Enough {
        boolean with(Materialised seen);
    }

    /**
     * Waits for the cleaners. What is cleaned is what is dirty enough, on both, and tombstones go when something is cleaned: so every look is
     * preceded by some more updates, the same for both.
     */
    private void nudgeUntil(String what, Updates updates, int[] expected, Enough enough) {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(plan.minutes);
        boolean all = false;
        while (!all) {
            int round = nudges++;
            int of = 1 + round % (DELETED_ONE_IN - 1);
            sides.forEach(side -> updates.send(side.bootstrap, round, false, key -> key % DELETED_ONE_IN == of));
            for (int key = of; key < plan.keys; key += DELETED_ONE_IN) {
                expected[key] = round;
            }
            LockSupport.parkNanos(PAUSE.toNanos());
            all = true;
            for (Side side : sides) {
                Materialised seen = read(side);
                all &= enough.with(seen);
                LOG.info("{}: {} records, {} tombstones", side.name, seen.records(), seen.tombstones());
            }
            if (!all && System.nanoTime() > deadline) {
                verdict.violation(Violation.Kind.LATE, "not within " + plan.minutes + " minutes: " + what);
                return;
            }
        }
    }

    private Materialised read(Side side) {
        return Materialised.read(side.bootstrap, TOPIC, plan.partitions, plan.keys);
    }

    private void compare(String when, int[] expected) {
        Materialised ours = null;
        for (Side side : sides) {
            Materialised seen = read(side);
            LOG.info("{}: {} has {} records, {} bytes", when, side.name, seen.records(), side.api.bytes(TOPIC));
            int wrong = seen.notOfRound(expected);
            if (wrong > 0) {
                verdict.violation(
                        Violation.Kind.LOST, when + ", " + side.name + ": " + wrong + " keys without their last value");
            }
            if (seen.outOfOrder() > 0) {
                verdict.violation(
                        Violation.Kind.OFFSETS, when + ", " + side.name + ": " + seen.outOfOrder() + " out of order");
            }
            if (ours == null) {
                ours = seen;
            } else if (ours.differences(seen) > 0) {
                verdict.violation(
                        Violation.Kind.LOST,
                        when + ": " + ours.differences(seen) + " keys have another value than in " + side.name);
            }
        }
    }

    private void reportWork() {
        Metrics metrics = catchment.metrics();
        LOG.info(
                "Catchment: {} passes, {} bytes read, {} written, {} records removed, {} failures",
                (long) metrics.sum("catchment_compaction_passes_total"),
                (long) metrics.sum("catchment_compaction_read_bytes_total"),
                (long) metrics.sum("catchment_compaction_written_bytes_total"),
                (long) metrics.sum("catchment_compaction_removed_records_total"),
                (long) metrics.sum("catchment_compaction_failures_total"));
    }

    // ---- the offsets API

    /**
     * Beginning and end are equal at all times. By time, the answer is the first record that is left at or after it; both clusters have removed the
     * same when both have cleaned all but the newest records, and questions about those are not asked.
     */
    private void offsetsAreEqual() {
        var partition = new TopicPartition(DELETED, 0);
        int keys = Math.min(plan.keys, 10_000);
        long start = (long) keys + keys / 3;
        var updates = new Updates(DELETED, keys, 1, plan.valueBytes, plan.seed + 1);
        for (Side side : sides) {
            side.api.create(DELETED, 1, config("compact,delete"));
            for (int round = 0; round < 5; round++) {
                updates.send(side.bootstrap, round, false, key -> true);
            }
            long low = side.api.deleteBefore(partition, start);
            if (low != start) {
                verdict.violation(Violation.Kind.OFFSETS, side.name + " deleted to " + low);
            }
        }
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            times.add(Updates.FIRST_TIME_MS + (long) i * keys / 8 + i);
        }
        // How far each has compacted by now is its own affair
        report("before compaction", answers(partition, List.of()));
        int[] round = {5};
        boolean equal = Await.within(Duration.ofMinutes(plan.minutes), PAUSE, () -> {
            int now = round[0]++;
            sides.forEach(side -> updates.send(side.bootstrap, now, false, key -> key % 2 == 0));
            LockSupport.parkNanos(PAUSE.toNanos());
            List<Map<String, String>> answers = answers(partition, times);
            return answers.stream().allMatch(each -> isCompacted(each, times, keys))
                    && answers.stream().distinct().count() == 1;
        });
        List<Map<String, String>> after = answers(partition, times);
        if (!equal) {
            verdict.violation(Violation.Kind.LATE, "offsets by time are not those of a compacted log");
            report("after compaction", after);
        }
        LOG.info("offsets after DeleteRecords and compaction: {}", after.get(0));
    }

    /** What is left of the rounds before the fifth are last values: the first record at or after an early time is one of the fifth. */
    private static boolean isCompacted(Map<String, String> answers, List<Long> times, int keys) {
        String answer = answers.getOrDefault("time " + times.get(12), "-1@-1");
        return Long.parseLong(answer.substring(0, answer.indexOf('@'))) >= 4L * keys;
    }

    private List<Map<String, String>> answers(TopicPartition partition, List<Long> times) {
        return sides.stream().map(side -> side.api.answers(partition, times)).toList();
    }

    private void report(String when, List<Map<String, String>> answers) {
        Map<String, String> ours = answers.get(0);
        for (int side = 1; side < answers.size(); side++) {
            Map<String, String> theirs = answers.get(side);
            String name = sides.get(side).name;
            ours.forEach((question, answer) -> {
                if (!answer.equals(theirs.get(question))) {
                    verdict.violation(
                            Violation.Kind.OFFSETS,
                            when + ", " + question + ": " + answer + ", in " + name + " " + theirs.get(question));
                }
            });
        }
    }

    private static long secondsSince(long nanos) {
        return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - nanos);
    }
}
