package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RuledControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.wal.Lane;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A node's flush and merges through random writes, faults, deletions, trims, clock jumps and crashes, from one seed: O1, O2, O3 and W5 hold after each
 * step, and when everything has healed all that was acknowledged is published and the store holds nothing else. Replay one seed with
 * {@code mvn -pl broker-node -am test -Dtest=FlushSimulationTest -Dsurefire.failIfNoSpecifiedTests=false -Dflush.seed=N}.
 */
class FlushSimulationTest {
    /** The same seeds in each build, so that it judges the change and not the luck; the slow test takes others each time. */
    private static final long FIRST_SEED = 1;

    private static final int SEEDS = 100;
    private static final int STEPS = 400;

    @Test
    void theInvariantsHoldThroughFaultsAndCrashes() {
        Long given = Long.getLong("flush.seed");
        if (given != null) {
            run(given);
            return;
        }
        runSome(Integer.getInteger("flush.seeds", SEEDS));
    }

    @Test
    @Tag("slow")
    void theInvariantsHoldForThousandsOfSeeds() {
        runSome(Integer.getInteger("flush.seeds", 5_000));
    }

    private static void runSome(int seeds) {
        long first = seeds == SEEDS ? FIRST_SEED : new SplittableRandom().nextLong(1L << 40);
        Reached reached = Reached.NOTHING;
        for (long seed = first; seed < first + seeds; seed++) {
            reached = reached.plus(run(seed));
        }
        System.out.println("From seed " + first + " on: " + reached);
        if (seeds >= 100) {
            assertThat(reached.merges()).isGreaterThan(seeds);
            assertThat(reached.moves()).isGreaterThan(seeds);
            assertThat(reached.larger()).isGreaterThan(seeds / 10);
            assertThat(reached.released()).isGreaterThan(seeds / 25);
            assertThat(reached.retired()).isGreaterThan(seeds / 4);
        }
    }

    /**
     * How often something happened, lest the invariants hold because nothing does.
     *
     * @param moves to manifests
     * @param larger those that took the place of another
     * @param released parts of manifests
     * @param retired manifests taken apart
     */
    private record Reached(int merges, int moves, int larger, int released, int retired) {
        static final Reached NOTHING = new Reached(0, 0, 0, 0, 0);

        Reached plus(Reached other) {
            return new Reached(
                    merges + other.merges,
                    moves + other.moves,
                    larger + other.larger,
                    released + other.released,
                    retired + other.retired);
        }

        static Reached of(FlushWorld world) {
            var moves = world.control.submitted(Command.PublishManifest.class);
            var releases = world.control.submitted(Command.ReleaseManifest.class);
            int parts = (int)
                    releases.stream().filter(release -> release.next() != null).count();
            return new Reached(
                    world.merges,
                    moves.size(),
                    (int) moves.stream()
                            .filter(move -> move.replacedObjectId() != Command.PublishManifest.NO_OBJECT)
                            .count(),
                    parts,
                    releases.size() - parts);
        }
    }

    private static Reached run(long seed) {
        try {
            Run run = new Run(seed);
            run.play();
            return Reached.of(run.world);
        } catch (Throwable failed) {
            throw new AssertionError(
                    "seed " + seed + "; replay: mvn -B -o -ntp -pl broker-node -am test -Dtest=FlushSimulationTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -Dflush.seed=" + seed,
                    failed);
        }
    }

    /** Owned by the test's thread. */
    private static final class Run {
        private final SplittableRandom random;
        private final FlushWorld world;
        private final List<Long> streams = new ArrayList<>();
        private final Map<Long, Lane> laneOf = new HashMap<>();
        private final Map<Lane, Long> open = new EnumMap<>(Lane.class);
        private int topics;
        private double storeTrouble;
        private double controlTrouble;
        private double diskTrouble;
        private double readTrouble;

        Run(long seed) {
            random = new SplittableRandom(seed);
            FlushSettings settings = new FlushSettings(
                    1 + random.nextInt(4),
                    1_000 << random.nextInt(8),
                    random.nextBoolean() ? 0 : 20_000,
                    random.nextInt(3) == 0 ? 50_000 : 0,
                    60_000 << random.nextInt(6),
                    500,
                    15_000,
                    1 + random.nextInt(8),
                    10_000 + random.nextInt(60_000),
                    random.nextBoolean() ? 25_000 : 1 + random.nextInt(6));
            world = new FlushWorld(settings, random.nextLong());
            world.store.puts(this::storeFate);
            world.store.deletes(this::storeFate);
            world.control.fate(this::controlFate);
            world.wal.loadFault(extent -> troubled(diskTrouble) ? new IOException("injected") : null);
            world.wal.deleteFault(extent -> troubled(diskTrouble) ? new IOException("injected") : null);
            world.readsFail = () -> troubled(readTrouble);
            newTopic();
            world.merging = true;
            world.start();
        }

        private boolean troubled(double trouble) {
            return trouble > 0 && random.nextDouble() < trouble;
        }

        /** An object that arrives late must do so while its id still counts as prepared: that much a store promises. */
        private FaultyStore.Fate storeFate() {
            if (!troubled(storeTrouble)) {
                return FaultyStore.Fate.DONE;
            }
            return switch (random.nextInt(4)) {
                case 0 -> FaultyStore.Fate.DONE_UNHEARD;
                case 1 -> FaultyStore.Fate.LATE;
                default -> FaultyStore.Fate.FAILED;
            };
        }

        private RuledControlPlane.Fate controlFate(Command<?> command) {
            if (!troubled(controlTrouble)) {
                return RuledControlPlane.Fate.DONE;
            }
            return switch (random.nextInt(3)) {
                case 0 -> RuledControlPlane.Fate.UNAVAILABLE;
                case 1 -> RuledControlPlane.Fate.UNCERTAIN_DONE;
                default -> RuledControlPlane.Fate.UNCERTAIN_LOST;
            };
        }

        void play() {
            for (int step = 0; step < STEPS; step++) {
                step();
                world.invariants.hold();
            }
            heal();
            finish();
        }

        private void step() {
            switch (random.nextInt(32)) {
                case 0, 1, 2, 3, 4, 5, 6, 7, 8 -> write();
                case 9, 10, 11, 12 -> roll();
                case 13, 14, 15, 16, 17, 18 -> pass(random.nextInt(1 + (10 << random.nextInt(12))));
                case 19 -> storeTrouble = random.nextInt(3) / 2.0;
                case 20 -> controlTrouble = random.nextInt(3) / 2.0;
                case 21 -> diskTrouble = random.nextInt(4) == 0 ? 0.5 : 0;
                case 22 -> world.store.delayMs(random.nextInt(1 + (1 << random.nextInt(12))));
                case 23 -> world.control.delayMs(random.nextInt(1 + (1 << random.nextInt(8))));
                case 24 -> world.wal.loadMs(random.nextInt(200));
                case 25 -> world.store.lateMs(random.nextInt(5_000));
                case 26 -> world.wal.diskBytes(random.nextBoolean() ? 1L << 40 : world.wal.bytesHeld() + 40_000);
                case 27 -> topicComesOrGoes();
                case 28 -> crash();
                case 29 -> trim();
                case 30 -> readTrouble = random.nextInt(3) / 4.0;
                default -> jump();
            }
        }

        private void write() {
            long stream = streams.get(random.nextInt(streams.size()));
            if (random.nextInt(10) == 0) {
                laneOf.put(stream, Lane.of(random.nextInt(3)));
            }
            Lane lane = laneOf.get(stream);
            long extent = open.computeIfAbsent(lane, world::openExtent);
            if (random.nextInt(8) == 0) {
                world.noop(extent);
            }
            for (int batches = 1 + random.nextInt(3); batches > 0; batches--) {
                world.append(extent, stream, 1 + random.nextInt(4), 1 << random.nextInt(12));
            }
        }

        private void roll() {
            Lane lane = Lane.of(random.nextInt(3));
            Long extent = open.remove(lane);
            if (extent == null) {
                world.seal(world.openExtent(lane));
                return;
            }
            for (long stream : streams) {
                if (laneOf.get(stream) == lane && random.nextInt(3) > 0) {
                    world.checkpoint(extent, stream);
                }
            }
            world.seal(extent);
        }

        private void pass(long ms) {
            world.time.pass(ms);
            world.control.upkeep();
        }

        private void topicComesOrGoes() {
            if (topics < 6 && random.nextBoolean()) {
                newTopic();
            } else if (world.control.image().topics().size() > 1) {
                var all = List.copyOf(world.control.image().topics());
                var topic = all.get(random.nextInt(all.size()));
                streams.removeAll(topic.streams());
                world.deleteTopic(topic.name());
            }
        }

        private void newTopic() {
            for (long stream : world.topic("topic-" + topics++, 1 + random.nextInt(3))) {
                streams.add(stream);
                laneOf.put(stream, Lane.of(random.nextInt(3)));
            }
        }

        private void trim() {
            long stream = streams.get(random.nextInt(streams.size()));
            long start = world.control.image().stream(stream).orElseThrow().logStartOffset();
            long end = world.endOffset(stream);
            long most = random.nextInt(4) == 0 ? end - start : (end - start) / 3;
            world.trim(stream, random.nextInt(8) == 0 ? end : start + random.nextLong(most + 1));
        }

        private void crash() {
            world.crash();
            open.clear();
        }

        /**
         * Forward, so that prepared objects expire long before their time. Not while an upload is under way: one that ends after its
         * object was forgotten, of a process that crashes then, is garbage that nobody knows.
         */
        private void jump() {
            if (random.nextInt(4) == 0) {
                storeTrouble = 0;
                world.store.delayMs(0);
                pass(20_000);
                world.time.jumpWallClock(random.nextLong(TimeUnit.HOURS.toMillis(2)));
                world.control.upkeep();
            }
        }

        private void heal() {
            storeTrouble = 0;
            controlTrouble = 0;
            diskTrouble = 0;
            readTrouble = 0;
            world.store.delayMs(5);
            world.control.delayMs(1);
            world.wal.loadMs(1);
            world.wal.diskBytes(1L << 40);
            for (Lane lane : Lane.values()) {
                Long extent = open.remove(lane);
                if (extent != null) {
                    world.seal(extent);
                }
            }
        }

        /** Caught up within the longest pauses; and after all time limits nothing is left over. */
        private void finish() {
            try {
                world.time.passUntil(this::caughtUp, 200_000);
            } catch (AssertionError late) {
                throw new AssertionError(
                        "not caught up: " + world.flusher.stats() + ", " + world.flusher.describe() + " of "
                                + world.control.image().extents() + " after "
                                + world.control.lastSubmitted(),
                        late);
            }
            world.invariants.hold();
            for (int works = -1; works != world.works(); ) {
                works = world.works();
                for (int i = 0; i < 4; i++) {
                    pass(world.settings.objectTtlMs());
                }
                pass(TimeUnit.MINUTES.toMillis(11));
            }
            pass(world.settings.reapGraceMs() + 30_000);
            world.invariants.hold();
            world.invariants.nothingLeaked();
            assertThat(world.wal.bytesInMemory())
                    .as("loaded extents are released")
                    .isZero();
            assertThat(world.flusher.stats().hotBytes()).isLessThanOrEqualTo(world.settings.hotBytes());
            assertThat(world.wal.extents())
                    .as("what is on the disk is what the control plane says")
                    .containsExactlyInAnyOrderElementsOf(world.control.image().extents().stream()
                            .map(extent -> extent.extentId())
                            .toList());
        }

        private boolean caughtUp() {
            return world.control.image().extents().stream().allMatch(extent -> extent.phase() == Phase.FLUSHED);
        }
    }
}
