package io.catchment.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.DirectoryObjectStore;
import io.catchment.chaos.cluster.ObjectStoreServer;
import io.catchment.chaos.cluster.S3ObjectStore;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

class StatelessTest {
    @TempDir
    private Path folder;

    private void run(ObjectStoreServer store) {
        var verdict = new Verdict();
        try (store;
                var server = CatchmentServer.up(
                        folder.resolve("server"),
                        store.uri(),
                        Map.of("catchment.wal.extent.bytes", "4194304", "catchment.wal.roll.ms", "500"))) {
            new Stateless(server, new Stateless.Plan(20_000_000, 1000, 12, 1), verdict).run();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        assertThat(verdict.describe()).isEqualTo("clean");
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void everythingIsServedFromADirectoryAfterTheWalIsGone() throws Exception {
        run(DirectoryObjectStore.create(folder.resolve("objects")));
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void everythingIsServedFromS3AfterTheWalIsGone() throws Exception {
        run(S3ObjectStore.create(folder.resolve("s3")));
    }
}
