package io.catchment.chaos.connect;

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

/** A short run; Connect's workers take a minute to start and to miss each other. Replay: -Dchaos.seed=N. */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class ConnectTest {
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
    void eachLineOfTheSourceIsInTheTopicOnceAndInTheSink() throws Exception {
        System.out.println(new ConnectRun(cluster, new ConnectRun.Plan(3, 200, seed), verdict).run());
        assertThat(verdict.describe()).as("seed " + seed).isEqualTo("clean");
    }
}
