package io.catchment.broker.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What compaction leaves of random logs (compressed batches, idempotent producers, transactions with aborts, tombstones, records without keys), round
 * after round, is what Kafka's own cleaner leaves of them on a disk. Replay one seed with {@code -Dcompaction.seed=N}.
 */
class KafkaEqualityTest {
    private static final long DELETE_RETENTION_MS = 100_000_000;

    @TempDir
    Path directory;

    @Test
    void theSameRecordsStayAsInKafka() throws Exception {
        Long given = Long.getLong("compaction.seed");
        long first = given == null ? 1 : given;
        for (long seed = first; seed < first + (given == null ? 15 : 1); seed++) {
            try {
                run(seed);
            } catch (Throwable failed) {
                throw new AssertionError(
                        "seed " + seed + "; replay: mvn -B -o -ntp -pl broker-node -am test -Dtest=KafkaEqualityTest"
                                + " -Dsurefire.failIfNoSpecifiedTests=false -Dcompaction.seed=" + seed,
                        failed);
            }
        }
    }

    private void run(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        RandomLog log = new RandomLog(random.split(), 1 + random.nextInt(60));
        int mapBytes = random.nextInt(3) > 0 ? 1 << 20 : 200 + random.nextInt(2_000);
        CompactionWorld world = new CompactionWorld(
                random.split(),
                new CompactionSettings(true, mapBytes, 0.9, 0, 1),
                Map.of(
                        "cleanup.policy",
                        "compact",
                        "min.cleanable.dirty.ratio",
                        "0",
                        "delete.retention.ms",
                        Long.toString(DELETE_RETENTION_MS)));
        KafkaLog kafka = new KafkaLog(directory.resolve("seed-" + seed), DELETE_RETENTION_MS);
        try {
            for (int round = 0; round < 5; round++) {
                for (int flush = 1 + random.nextInt(12); flush > 0; flush--) {
                    flush(world, kafka, log, random);
                }
                long nowMs = world.time.wallClockMs();
                world.settle();
                kafka.clean(nowMs);
                assertThat(world.stream().cleanedTo()).isEqualTo(kafka.firstDirtyOffset());
                String when = "round " + round + ", cleaned to " + kafka.firstDirtyOffset();
                equalTo(kafka.records(), world.records(), log, when);
                world.time.pass(random.nextInt(3) * DELETE_RETENTION_MS);
            }
        } finally {
            kafka.close();
        }
    }

    private static void flush(CompactionWorld world, KafkaLog kafka, RandomLog log, SplittableRandom random)
            throws IOException {
        long base = log.end();
        List<byte[]> batches = new ArrayList<>();
        for (int batch = 1 + random.nextInt(20); batch > 0; batch--) {
            batches.add(log.next());
        }
        for (byte[] batch : batches) {
            kafka.append(batch);
        }
        world.publish(batches, base, log.end());
    }

    /**
     * The same records. Of the markers Kafka may keep more: an active producer's last batch stays in Kafka as an empty one, and its marker with it;
     * and a pass more, because the keys did not fit, gives markers of nothing their horizon earlier. Who finds a record finds its marker.
     */
    private static void equalTo(List<LoggedRecord> theirs, List<LoggedRecord> ours, RandomLog log, String when) {
        assertThat(without(ours, theirs)).as(when + ", only here").isEmpty();
        assertThat(without(theirs, ours).stream().filter(record -> !record.marker()))
                .as(when + ", only in Kafka")
                .isEmpty();
        List<Long> offsets = ours.stream().map(LoggedRecord::offset).toList();
        assertThat(offsets).isSorted();
        for (long offset : offsets) {
            Long marker = log.markerOf(offset);
            assertThat(marker == null || offsets.contains(marker))
                    .as(when + ", the marker of " + offset)
                    .isTrue();
        }
    }

    private static List<LoggedRecord> without(List<LoggedRecord> some, List<LoggedRecord> others) {
        Set<LoggedRecord> known = new HashSet<>(others);
        return some.stream().filter(record -> !known.contains(record)).toList();
    }
}
