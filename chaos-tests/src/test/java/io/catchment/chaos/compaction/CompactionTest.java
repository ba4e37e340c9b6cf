package io.catchment.chaos.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

class CompactionTest {
    @TempDir
    private Path folder;

    /** Without Kafka, which the build does not fetch. The map holds a fifth of the keys of a partition, so that it takes several passes. */
    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void lastValuesStayAndDeletedKeysGo() {
        var verdict = new Verdict();
        try (var server = CatchmentServer.up(
                folder.resolve("server"), "", Compaction.settings(Map.of("log.cleaner.dedupe.buffer.size", "67000")))) {
            new Compaction(server, null, new Compaction.Plan(20_000, 5, 100, 2, 3, 1), verdict).run();
        }
        assertThat(verdict.describe()).isEqualTo("clean");
    }
}
