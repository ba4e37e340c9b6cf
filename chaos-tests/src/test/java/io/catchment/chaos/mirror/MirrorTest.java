package io.catchment.chaos.mirror;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** A short run: MirrorMaker is killed once. Replay: -Dchaos.seed=N. */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class MirrorTest {
    @TempDir
    private static Path folder;

    private static CatchmentCluster cluster;

    private final long seed = Long.getLong("chaos.seed", new SplittableRandom().nextInt(1_000_000));
    private final Verdict verdict = new Verdict();

    @BeforeAll
    static void start() {
        cluster = CatchmentCluster.up(folder.resolve("cluster"), CatchmentCluster.Options.of(3));
    }

    @AfterAll
    static void end() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void mirrorsAreFaithfulBothWaysAndGroupsGoOn() throws Exception {
        System.out.println(new MirrorRun(cluster, new MirrorRun.Plan(1, 100, seed), verdict).run());
        assertThat(verdict.describe()).as("seed " + seed).isEqualTo("clean");
    }
}
