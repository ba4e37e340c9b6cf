package io.catchment.broker.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RuledControlPlane.Fate;
import io.catchment.controlplane.ObjectState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Merges and compaction of one stream through random flushes, faults, trims, changes of owner (the former one goes on with what it is about) and
 * crashes, from one seed. After each step a reader who keeps the last value of each key has what was written, and when all has healed, what is left
 * is what Kafka's rule leaves. Replay one seed with
 * {@code mvn -pl broker-node -am test -Dtest=CompactionSimulationTest -Dsurefire.failIfNoSpecifiedTests=false -Dcompaction.seed=N}.
 */
class CompactionSimulationTest {
    /** The same seeds in each build, so that it judges the change and not the luck; the slow test takes others each time. */
    private static final long FIRST_SEED = 73_913_433_190L;

    private static final int SEEDS = 25;
    private static final int STEPS = 120;
    private static final long DELETE_RETENTION_MS = 100_000_000;

    @Test
    void readersSeeTheLastValuesThroughFaultsAndCrashes() {
        Long given = Long.getLong("compaction.seed");
        if (given != null) {
            run(given);
            return;
        }
        runSome(Integer.getInteger("compaction.seeds", SEEDS));
    }

    @Test
    @Tag("slow")
    void readersSeeTheLastValuesForThousandsOfSeeds() {
        runSome(Integer.getInteger("compaction.seeds", 3_000));
    }

    private static void runSome(int seeds) {
        long first = seeds == SEEDS ? FIRST_SEED : new SplittableRandom().nextLong(1L << 40);
        for (long seed = first; seed < first + seeds; seed++) {
            run(seed);
        }
    }

    private static void run(long seed) {
        try {
            new Run(seed).play();
        } catch (Throwable failed) {
            throw new AssertionError(
                    "seed " + seed + "; replay: mvn -B -o -ntp -pl broker-node -am test -Dtest=CompactionSimulationTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -Dcompaction.seed=" + seed,
                    failed);
        }
    }

    /** Owned by the test's thread. */
    private static final class Run {
        private final SplittableRandom random;
        private final CompactionWorld world;
        private final RandomLog log;
        private double readTrouble;
        private double putTrouble;
        private double controlTrouble;

        Run(long seed) {
            random = new SplittableRandom(seed);
            log = new RandomLog(random.split(), 1 + random.nextInt(40));
            int mapBytes = random.nextInt(3) == 0 ? 200 + random.nextInt(1_500) : 1 << 20;
            world = new CompactionWorld(
                    random.split(),
                    new CompactionSettings(true, mapBytes, 0.9, random.nextInt(2_000), 1 + random.nextInt(5)),
                    config(0.5 * random.nextInt(2)));
            world.boot(2);
            world.readsFail = () -> troubled(readTrouble);
            world.putsFail = () -> troubled(putTrouble);
            world.control.fate(command -> controlFate());
        }

        private static Map<String, String> config(double ratio) {
            return Map.of(
                    "cleanup.policy",
                    "compact",
                    "min.cleanable.dirty.ratio",
                    Double.toString(ratio),
                    "delete.retention.ms",
                    Long.toString(DELETE_RETENTION_MS));
        }

        private boolean troubled(double trouble) {
            return trouble > 0 && random.nextDouble() < trouble;
        }

        private Fate controlFate() {
            if (!troubled(controlTrouble)) {
                return Fate.DONE;
            }
            return switch (random.nextInt(3)) {
                case 0 -> Fate.UNAVAILABLE;
                case 1 -> Fate.UNCERTAIN_DONE;
                default -> Fate.UNCERTAIN_LOST;
            };
        }

        void play() {
            for (int step = 0; step < STEPS; step++) {
                step();
                readersSeeTheLastValues();
            }
            heal();
            whatIsLeftIsWhatKafkaLeaves();
        }

        private void step() {
            switch (random.nextInt(20)) {
                case 0, 1, 2, 3, 4, 5, 6 -> flush();
                case 7, 8, 9, 10, 11, 12 -> world.time.pass(random.nextInt(1 + (1 << random.nextInt(12))));
                case 13 -> readTrouble = random.nextInt(3) / 4.0;
                case 14 -> putTrouble = random.nextInt(3) / 4.0;
                case 15 -> controlTrouble = random.nextInt(3) / 4.0;
                case 16 -> world.control.delayMs(random.nextInt(300));
                case 17 -> crash();
                case 18 -> move();
                default -> passOrTrim();
            }
        }

        private void flush() {
            long base = log.end();
            List<byte[]> batches = new ArrayList<>();
            for (int batch = 1 + random.nextInt(10); batch > 0; batch--) {
                batches.add(log.next());
            }
            world.publish(batches, base, log.end());
        }

        private void crash() {
            int id = 1 + random.nextInt(2);
            boolean owns = world.owner().id == id;
            world.boot(id);
            if (owns) {
                world.open(id, log.end());
            }
        }

        /** In the middle of whatever the former owner does. */
        private void move() {
            world.move(3 - world.owner().id, log.end());
        }

        private void passOrTrim() {
            if (random.nextBoolean()) {
                world.time.pass(DELETE_RETENTION_MS);
                return;
            }
            long start = world.stream().logStartOffset();
            world.trim(start + random.nextLong(log.end() - start + 1) / (1 + random.nextInt(10)));
        }

        private void readersSeeTheLastValues() {
            long start = world.stream().logStartOffset();
            List<LoggedRecord> found = world.records().stream()
                    .filter(record -> record.offset() >= start)
                    .toList();
            found.forEach(record -> assertThat(record).isEqualTo(log.at(record.offset())));
            assertThat(log.materialised(found)).isEqualTo(log.materialised(start));
        }

        private void heal() {
            readTrouble = 0;
            putTrouble = 0;
            controlTrouble = 0;
            world.control.delayMs(1);
            long base = log.end();
            List<byte[]> batches = new ArrayList<>(log.endTransactions());
            batches.add(log.next());
            batches.addAll(log.endTransactions());
            world.publish(batches, base, log.end());
            // Whatever there is to clean, and then tombstones and markers in two passes more
            world.config(Map.of(
                    "cleanup.policy", "compact", "max.compaction.lag.ms", "1", "delete.retention.ms", "100000000"));
            world.settle();
            for (int round = 0; round < 3; round++) {
                world.time.pass(DELETE_RETENTION_MS + 1);
                long next = log.end();
                byte[] batch = log.next();
                List<byte[]> more = new ArrayList<>(List.of(batch));
                more.addAll(log.endTransactions());
                world.publish(more, next, log.end());
                world.settle();
            }
            assertThat(world.stream().cleanedTo()).as("all is cleaned").isEqualTo(log.end());
        }

        private void whatIsLeftIsWhatKafkaLeaves() {
            readersSeeTheLastValues();
            long start = world.stream().logStartOffset();
            Set<String> keys = new HashSet<>();
            Map<String, Long> last = new HashMap<>();
            for (LoggedRecord record : world.records()) {
                if (!record.marker() && record.offset() >= start) {
                    assertThat(record.key()).as("keys are unique, and there").isNotNull();
                    assertThat(keys.add(record.key()))
                            .as("of each key one is left: " + record)
                            .isTrue();
                    last.put(record.key(), record.offset());
                }
            }
            Set<Long> published = world.control.image().objects().stream()
                    .filter(object -> object.phase() == ObjectState.Phase.PUBLISHED)
                    .map(ObjectState::objectId)
                    .collect(Collectors.toSet());
            Set<Long> referenced = world.stream().catalog().stream()
                    .map(range -> range.objectId())
                    .collect(Collectors.toSet());
            referenced.add(world.stream().checkpoint().objectId());
            assertThat(published).as("nothing is left over").isEqualTo(referenced);
        }
    }
}
