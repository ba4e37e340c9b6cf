package io.catchment.objectstore.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Classes with random sizes, random places and a random bandwidth, each either with a backlog that never ends or with a transfer now and then.
 * Whatever the seed: nobody starves, shares are kept, bounds hold. Replay: {@code -Dseed=N}.
 */
class TransferSimulationTest {
    private static final int SEEDS = 100;
    private static final long MIB = 1 << 20;
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    @Test
    void sharesAndBoundsHoldForEverySeed() {
        String given = System.getProperty("seed");
        if (given != null) {
            new World(Long.parseLong(given)).run();
            return;
        }
        long first = System.nanoTime() & 0xffffffL;
        for (long seed = first; seed < first + SEEDS; seed++) {
            try {
                new World(seed).run();
            } catch (AssertionError | RuntimeException failed) {
                throw new AssertionError(
                        "seed " + seed + "; replay: mvn -pl object-store test -Dtest=TransferSimulationTest -Dseed="
                                + seed,
                        failed);
            }
        }
    }

    private static final class World {
        private static final int SECONDS = 600;
        private final SplittableRandom random;
        private final int places;
        private final long bandwidth;
        private final SimulatedLink link;
        private final TransferScheduler scheduler;
        private final Map<TransferClass, Long> bytes = new EnumMap<>(TransferClass.class);
        private final Map<TransferClass, Long> sizeMax = new EnumMap<>(TransferClass.class);
        private final Map<TransferClass, Boolean> endless = new EnumMap<>(TransferClass.class);
        private final Map<TransferClass, Long> waitedMaxNanos = new EnumMap<>(TransferClass.class);
        private long begun;
        private int running;
        private int runningMax;

        World(long seed) {
            random = new SplittableRandom(seed);
            places = TransferSettings.PLACES_MIN + random.nextInt(12);
            bandwidth = random.nextBoolean() ? 0 : (5 + random.nextInt(50)) * MIB;
            link = new SimulatedLink(random.nextLong(2_000_000), (5 + random.nextInt(100)) * MIB);
            scheduler = new TransferScheduler(
                    new TransferSettings(places, bandwidth, 0, 1024), link::nanoTime, link, new TransferListener() {
                        @Override
                        public void started(TransferClass of, Direction direction, long waitedNanos) {
                            waitedMaxNanos.merge(of, waitedNanos, Math::max);
                        }

                        @Override
                        public void ended(TransferClass of, Direction direction, long done, boolean ok) {
                            bytes.merge(of, done, Long::sum);
                        }

                        @Override
                        public void refused(TransferClass of, Direction direction) {
                            throw new AssertionError(of + " refused");
                        }
                    });
            for (TransferClass each : TransferClass.values()) {
                endless.put(each, random.nextInt(3) > 0);
                sizeMax.put(each, (1 + random.nextInt(each.rank() < 3 ? 64 : 8)) * MIB);
                bytes.put(each, 0L);
            }
        }

        void run() {
            for (TransferClass each : TransferClass.values()) {
                boolean busy = endless.get(each);
                // Enough of them that the queue never runs dry.
                for (int i = 0; i < (busy ? 3 * places : 1); i++) {
                    next(each);
                }
            }
            link.run(SECONDS * SECOND);
            long all = bytes.values().stream().mapToLong(Long::longValue).sum();
            long slack = 4L * 64 * MIB * places;
            assertThat(runningMax).isLessThanOrEqualTo(places);
            if (bandwidth > 0) {
                assertThat(begun)
                        .as("within the bandwidth")
                        .isLessThanOrEqualTo(bandwidth * SECONDS + bandwidth + 64 * MIB);
            }
            boolean first = true;
            for (TransferClass each : TransferClass.values()) {
                if (!endless.get(each)) {
                    continue;
                }
                long place = bytes.get(each);
                if (first && each.placesMax(places) == places) {
                    long others = 0;
                    for (TransferClass other : TransferClass.values()) {
                        others += other == each ? 0 : (long) (other.shareMin() * all);
                    }
                    assertThat(place)
                            .as("%s is first of %s", each, bytes)
                            .isGreaterThan(all - others - slack - sparse());
                }
                first = false;
                assertThat(place)
                        .as("the least share of %s of %s", each, bytes)
                        .isGreaterThan((long) (each.shareMin() * all) - slack);
                assertThat(place).as("%s starves", each).isPositive();
            }
        }

        /** What those without a backlog had: they may be before their turn by rank. */
        private long sparse() {
            return bytes.entrySet().stream()
                    .filter(each -> !endless.get(each.getKey()))
                    .mapToLong(Map.Entry::getValue)
                    .sum();
        }

        private void next(TransferClass of) {
            long size = MIB / 4 + random.nextLong(sizeMax.get(of));
            CompletionStage<Long> done = scheduler.submit(
                    of,
                    Direction.UP,
                    size,
                    () -> {
                        begun += size;
                        runningMax = Math.max(runningMax, ++running);
                        CompletableFuture<Long> transfer = link.transfer(size).toCompletableFuture();
                        return transfer.whenComplete((value, failure) -> running--);
                    },
                    () -> {},
                    late -> {});
            done.whenComplete((value, failure) -> {
                if (endless.get(of)) {
                    next(of);
                } else {
                    link.in(random.nextLong(5 * SECOND), () -> next(of));
                }
            });
        }
    }
}
