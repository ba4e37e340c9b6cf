package io.catchment.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** Replay: -Dchaos.seed=N with the same test. */
class KillCycleTest {
    private final long seed = Long.getLong("chaos.seed", new SplittableRandom().nextInt(1_000_000));

    @TempDir
    private Path folder;

    private void run(KillCycle.Plan plan, Map<String, String> settings) throws Exception {
        System.out.println("replay with -Dchaos.seed=" + seed);
        var verdict = new Verdict();
        try (var server = CatchmentServer.up(folder.resolve("server"), "", settings)) {
            new KillCycle(server, plan, verdict).run(folder);
        }
        assertThat(verdict.describe()).as("seed " + seed).isEqualTo("clean");
    }

    @Test
    @Timeout(value = 6, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void nothingAcknowledgedIsLostByTwoKills() throws Exception {
        // small extents: kills meet sealed, flushed and open ones
        run(
                new KillCycle.Plan(1, 2, 40_000_000, 1024, 12, seed, false),
                Map.of("catchment.wal.extent.bytes", "4194304"));
    }

    @Test
    @Tag("slow")
    @Timeout(value = 60, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void nothingAcknowledgedIsLostInTenRounds() throws Exception {
        run(new KillCycle.Plan(10, 1, 200_000_000, 1024, 12, seed, false), Map.of());
    }

    @Test
    @Tag("slow")
    @Timeout(value = 30, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void nothingTheStockPerfTestHadAcknowledgedIsLost() throws Exception {
        run(new KillCycle.Plan(2, 1, 200_000_000, 1024, 12, seed, true), Map.of());
    }
}
