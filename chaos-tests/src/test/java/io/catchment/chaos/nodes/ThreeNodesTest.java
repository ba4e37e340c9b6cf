package io.catchment.chaos.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.DirectoryObjectStore;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** Short runs of the scenarios, all on one cluster. Replay: -Dchaos.seed=N with the same test. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class ThreeNodesTest {
    @TempDir
    private static Path folder;

    private static DirectoryObjectStore store;
    private static CatchmentCluster cluster;

    private final long seed = Long.getLong("chaos.seed", new SplittableRandom().nextInt(1_000_000));
    private final Verdict verdict = new Verdict();

    @BeforeAll
    static void start() throws Exception {
        store = DirectoryObjectStore.create(folder.resolve("store"));
        // small extents that roll soon: faults meet open, sealed and flushed ones
        cluster = CatchmentCluster.up(
                folder.resolve("cluster"),
                CatchmentCluster.Options.of(3)
                        .with(
                                store.uri(),
                                Map.of("catchment.wal.extent.bytes", "4194304", "catchment.wal.roll.ms", "2000")));
    }

    @AfterAll
    static void end() {
        if (cluster != null) {
            cluster.close();
        }
        store.close();
    }

    @BeforeEach
    void allRun() {
        System.out.println("replay with -Dchaos.seed=" + seed);
        cluster.startAll();
    }

    private Shape shape(int partitions, int recordsPerSecond) {
        return new Shape(partitions, 2, recordsPerSecond, 100, true, seed);
    }

    private void run(Callable<String> scenario) throws Exception {
        System.out.println(scenario.call());
        assertThat(verdict.describe()).as("seed " + seed).isEqualTo("clean");
    }

    @Test
    void nothingIsLostByKillsAndALostDisk() throws Exception {
        run(() -> new Failover(cluster, new Failover.Plan(3, true, true, 1500, 2000, shape(12, 600)), verdict).run());
    }

    @Test
    void everyTransferIsBookedExactlyOnceWhateverDies() throws Exception {
        run(() -> new Bank(cluster, () -> 0, new Bank.Plan(2, 2, 1500, 2000, List.of(), seed), verdict).run());
    }

    @Test
    @Tag("slow")
    void takeoverDoesNotNeedTheObjectStore() throws Exception {
        store.takeAway();
        try {
            run(() -> new Failover(cluster, new Failover.Plan(1, false, false, 1500, 2000, shape(6, 300)), verdict)
                    .run());
        } finally {
            store.giveBack();
        }
    }

    @Test
    @Tag("slow")
    void nodeThatHungServesNothingStale() throws Exception {
        run(() -> new Hang(
                        cluster,
                        new Hang.Plan(List.of(Duration.ofSeconds(1), Duration.ofSeconds(8)), shape(12, 600)),
                        verdict)
                .run());
    }

    @Test
    void allKilledAtOnceComeBackWithEverything() throws Exception {
        run(() -> new Blackout(cluster, new Blackout.Plan(1, shape(12, 600)), verdict).run());
    }

    @Test
    void rollingRestartIsNotNoticedByProducers() throws Exception {
        run(() -> new Rolling(cluster, shape(12, 600), verdict).run());
    }

    @Test
    @Tag("slow")
    void emptyNodeTakesThePlaceOfALostOne() throws Exception {
        run(() -> new Replace(cluster, new Replace.Plan(20_000_000, shape(12, 600)), verdict).run());
    }

    @Test
    @Tag("slow")
    void nodeIsAddedAndRemoved() throws Exception {
        run(() -> new Scale(cluster, shape(100, 1000), verdict).run());
    }

    @Test
    @Tag("slow")
    void clientWithAQuotaGetsThatAndOthersWhatTheyWant() throws Exception {
        run(() -> new Quota(cluster, new Quota.Plan(1_000_000, 1), verdict).run());
    }
}
