package io.catchment.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.DirectoryObjectStore;
import io.catchment.chaos.cluster.ObjectStoreServer;
import io.catchment.chaos.cluster.S3ObjectStore;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

class OutageTest {
    @TempDir
    private Path folder;

    private void run(ObjectStoreServer store, Duration calm, Duration away) {
        var verdict = new Verdict();
        var plan = new Outage.Plan(2, 1000, 12, calm, away, Duration.ofSeconds(60), 1);
        try (store;
                var server = CatchmentServer.up(
                        folder.resolve("server"),
                        store.uri(),
                        Map.of(
                                "catchment.wal.extent.bytes", "4194304",
                                "catchment.wal.roll.ms", "500",
                                "catchment.wal.hot.bytes", "0"))) {
            new Outage(server, store, plan, verdict).run();
        }
        assertThat(verdict.describe()).isEqualTo("clean");
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void nobodyNoticesThatTheDirectoryIsAway() throws Exception {
        run(DirectoryObjectStore.create(folder.resolve("objects")), Duration.ofSeconds(3), Duration.ofSeconds(6));
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void nobodyNoticesThatTheS3ServerIsAway() throws Exception {
        run(S3ObjectStore.create(folder.resolve("s3")), Duration.ofSeconds(3), Duration.ofSeconds(6));
    }

    @Test
    @Tag("slow")
    @Timeout(value = 12, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void nobodyNoticesTwoMinutesWithoutTheS3Server() throws Exception {
        run(S3ObjectStore.create(folder.resolve("s3")), Duration.ofSeconds(20), Duration.ofMinutes(2));
    }
}
