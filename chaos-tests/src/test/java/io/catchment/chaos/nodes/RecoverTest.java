package io.catchment.chaos.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.S3ObjectStore;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

class RecoverTest {
    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void allMachinesAreLostAndTheBucketIsEnough() throws Exception {
        var verdict = new Verdict();
        try (var store = S3ObjectStore.create(folder.resolve("s3"))) {
            var options = CatchmentCluster.Options.of(3)
                    .with(
                            store.uri(),
                            Map.of(
                                    "catchment.wal.extent.bytes", "4194304",
                                    "catchment.wal.roll.ms", "500",
                                    "catchment.bucket.check.ms", "1000",
                                    "catchment.state.snapshot.ms", "5000"));
            String figures = new Recover(
                            CatchmentCluster.up(folder.resolve("lost"), options),
                            folder.resolve("recovered"),
                            options,
                            new Recover.Plan(12, 30_000, 200, true, 3, 1),
                            verdict)
                    .run();
            System.out.println(figures);
        }
        assertThat(verdict.describe()).isEqualTo("clean");
    }
}
