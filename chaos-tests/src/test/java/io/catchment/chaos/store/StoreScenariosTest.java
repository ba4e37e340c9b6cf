package io.catchment.chaos.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.nodes.Shape;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** Short runs of the scenarios. Replay: -Dchaos.seed=N with the same test. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class StoreScenariosTest {
    @TempDir
    private Path folder;

    private final long seed = Long.getLong("chaos.seed", new SplittableRandom().nextInt(1_000_000));

    private void run(Map<String, String> settings, StoreScenario.Scenario scenario) throws Exception {
        System.out.println("replay with -Dchaos.seed=" + seed);
        var verdict = new Verdict();
        try (var store = ProxiedStore.create(folder.resolve("store"), seed);
                var cluster = CatchmentCluster.up(
                        folder.resolve("nodes"),
                        new CatchmentCluster.Options(1, store.uri(), settings, List.of(), store.environment()))) {
            System.out.println(scenario.run(cluster, store, verdict));
        }
        assertThat(verdict.describe()).as("seed " + seed).isEqualTo("clean");
    }

    private void faults(double timeFactor, FaultStep... steps) throws Exception {
        var shape = new Shape(12, 2, 300, 500, false, seed);
        run(StoreFaultsCommand.SETTINGS, (cluster, store, verdict) -> new StoreFaults(
                        cluster, store, new StoreFaults.Plan(List.of(steps), timeFactor, 24L << 20, shape), verdict)
                .run());
    }

    /** Of points of one configuration. */
    private void crashes(long uploadLimitMs, List<CrashPoint> points) throws Exception {
        boolean withoutMerges = points.get(0).work().withoutMerges();
        run(CrashPoint.settings(withoutMerges, uploadLimitMs), (cluster, store, verdict) -> new CrashPoints(
                        cluster, store, new CrashPoints.Plan(points, uploadLimitMs, seed), verdict)
                .run());
    }

    @Test
    void storeThatFailsIsToldApartSparedAndUsedAgain() throws Exception {
        faults(
                0.5,
                FaultStep.SLOW_DOWN,
                FaultStep.CORRUPT_UPLOADS,
                FaultStep.CORRUPT_DOWNLOADS,
                FaultStep.ROTATED_KEYS);
    }

    @Test
    @Tag("slow")
    @Timeout(value = 20, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void everyFaultIsToldApart() throws Exception {
        faults(1, FaultStep.values());
    }

    @Test
    void killedWhileItFlushesAndCompactsTheNodeLeavesNothingBehind() throws Exception {
        crashes(2_000, List.of(CrashPoint.COMPACTION_STORED, CrashPoint.FLUSH_IN_BODY));
    }

    @Test
    @Tag("slow")
    @Timeout(value = 20, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void killedAtAnyStepOfFlushMergeDeleteAndListingTheNodeLeavesNothingBehind() throws Exception {
        crashes(8_000, points(false));
    }

    @Test
    @Tag("slow")
    @Timeout(value = 20, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void killedAtAnyStepOfCompactionAndManifestTheNodeLeavesNothingBehind() throws Exception {
        crashes(8_000, points(true));
    }

    private static List<CrashPoint> points(boolean withoutMerges) {
        return Arrays.stream(CrashPoint.values())
                .filter(point -> point.work().withoutMerges() == withoutMerges)
                .toList();
    }

    @Test
    @Tag("slow")
    @Timeout(value = 15, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void backlogDrainsAtTheSpeedOfTheLinkUrgentFirst() throws Exception {
        var plan =
                new Backlog.Plan(1_000_000_000, 20_000_000, 2_000_000, 20_000_000, 8192, Duration.ofSeconds(5), seed);
        run(BacklogCommand.SETTINGS, (cluster, store, verdict) -> new Backlog(cluster, store, plan, verdict).run());
    }
}
