package io.catchment.chaos.catchup;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.S3ObjectStore;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** Short: shows that everything read far behind is right while others follow at the tail. Figures need a machine for themselves. */
class CatchupTest {
    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void aBacklogInS3IsReadBesideALoadAtTheTail() throws Exception {
        var verdict = new Verdict();
        var plan = new Catchup.Plan(100_000_000, 1000, 6, 2, 0, 2, Duration.ofSeconds(2), Duration.ofSeconds(3), 1);
        CatchupFigures figures;
        try (var store = S3ObjectStore.create(folder.resolve("s3"));
                var cluster = CatchmentCluster.up(
                        folder.resolve("server"),
                        new CatchmentCluster.Options(
                                1,
                                store.uri(),
                                Map.of("catchment.wal.extent.bytes", "16777216", "catchment.wal.roll.ms", "500"),
                                List.of(),
                                Map.of()))) {
            figures = new Catchup(cluster, store.uri(), plan, verdict).run();
        }
        assertThat(verdict.describe()).isEqualTo("clean");
        assertThat(figures.readMbPerSecond()).isPositive();
        assertThat(figures.raw().mbPerSecond()).isPositive();
        assertThat(figures.catchingUp().p99Ms()).isPositive();
        assertThat(figures.table()).contains("caught up with MB/s");
    }

    @Test
    void whatTheReadersSayIsUnderstood() {
        var read = new BacklogRead(12, 12_000_000, 2, 1.5, 0);
        assertThat(BacklogRead.parse("noise\n" + read.line() + "\n")).isEqualTo(read);
        assertThat(read.mbPerSecond()).isEqualTo(6);
    }
}
