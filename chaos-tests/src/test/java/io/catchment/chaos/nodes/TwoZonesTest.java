package io.catchment.chaos.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** Four nodes in two zones. Replay: -Dchaos.seed=N with the same test. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class TwoZonesTest {
    @TempDir
    private static Path folder;

    private static CatchmentCluster cluster;

    private final long seed = Long.getLong("chaos.seed", new SplittableRandom().nextInt(1_000_000));
    private final Verdict verdict = new Verdict();

    @BeforeAll
    static void start() {
        cluster = CatchmentCluster.up(
                folder.resolve("cluster"),
                CatchmentCluster.Options.of(4)
                        .with("", Map.of("catchment.wal.extent.bytes", "4194304"))
                        .withZones("a", "b"));
    }

    @AfterAll
    static void end() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @BeforeEach
    void allRun() {
        System.out.println("replay with -Dchaos.seed=" + seed);
        cluster.startAll();
    }

    private void run(Callable<String> scenario) throws Exception {
        System.out.println(scenario.call());
        assertThat(verdict.describe()).as("seed " + seed).isEqualTo("clean");
    }

    @Test
    void eachZoneIsLostOnceAndNothingWithIt() throws Exception {
        run(() -> new ZoneLoss(cluster, new Shape(12, 2, 600, 100, true, seed), verdict).run());
    }

    @Test
    void nothingIsLostWithAReplicaThatHangs() throws Exception {
        run(() -> new SlowReplica(cluster, new Shape(12, 2, 600, 100, true, seed), verdict).run());
    }
}
