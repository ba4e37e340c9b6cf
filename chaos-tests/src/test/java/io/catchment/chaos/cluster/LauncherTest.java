package io.catchment.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

class LauncherTest {
    @TempDir
    private Path folder;

    private static String launcher(String... arguments) {
        List<String> line = new ArrayList<>(List.of(Checkout.launcher().toString()));
        line.addAll(List.of(arguments));
        return Commands.run(Duration.ofMinutes(1), Map.of("CATCHMENT_BUILD", "never"), line);
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void nodeIsStartedKilledStoppedAndDestroyed() throws Exception {
        Path directory = folder.resolve("cluster");
        try (var server = CatchmentServer.up(directory, "", Map.of())) {
            long first = server.pid();
            String bootstrap = server.bootstrap();
            assertThat(server.ready()).isTrue();
            assertThat(ProcessHandle.of(first)).isPresent();
            // up once more changes nothing
            assertThat(launcher("up", "--dir", directory.toString())).contains(bootstrap);
            assertThat(server.pid()).isEqualTo(first);

            server.kill();
            assertThat(launcher("status", "--json", "--dir", directory.toString()))
                    .contains("\"pid\":null", "\"ready\":false");
            // the number in a stale pid file may belong to somebody else by now
            Files.writeString(
                    directory.resolve("node-1/pid"), ProcessHandle.current().pid() + "\n");
            assertThat(launcher("status", "--json", "--dir", directory.toString()))
                    .contains("\"pid\":null");
            server.start();
            assertThat(server.pid()).isNotEqualTo(first);
            assertThat(server.bootstrap()).isEqualTo(bootstrap);

            launcher("down", "--dir", directory.toString());
            assertThat(launcher("status", "--dir", directory.toString())).contains("down");
            launcher("up", "--dir", directory.toString());
            assertThat(server.ready()).isTrue();
        }
        assertThat(directory).doesNotExist();
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void twoWhoBringItUpAtOnceGetOneCluster() throws Exception {
        Path directory = folder.resolve("cluster");
        String[] up = {"up", "--nodes", "2", "--port", "0", "--dir", directory.toString()};
        try {
            CompletableFuture<String> other = CompletableFuture.supplyAsync(() -> launcher(up));
            String first = launcher(up);
            assertThat(other.get()).isEqualTo(first).contains("Catchment is ready");
            assertThat(launcher("status", "--json", "--dir", directory.toString()))
                    .doesNotContain("\"pid\":null", "\"ready\":false");
        } finally {
            launcher("destroy", "--dir", directory.toString());
        }
        assertThat(directory).doesNotExist();
        assertThat(ProcessHandle.allProcesses()
                        .filter(process ->
                                process.info().commandLine().orElse("").contains(directory.toString())))
                .isEmpty();
    }

    @Test
    void unknownKeyIsAClearErrorAtStart() {
        assertThatThrownBy(() -> CatchmentServer.up(folder.resolve("cluster"), "", Map.of("catchment.wall.dir", "x")))
                .hasMessageContaining("node 1 did not start")
                .hasMessageContaining("catchment.wall.dir");
    }

    @Test
    void clustersThatCannotBeAreRefused() {
        String directory = folder.resolve("c").toString();
        assertThatThrownBy(() -> launcher("up", "--nodes", "10", "--dir", directory))
                .hasMessageContaining("a number from 1 to 9");
        assertThatThrownBy(() -> launcher("up", "--nodes", "2", "--controllers", "3", "--dir", directory))
                .hasMessageContaining("more than --nodes 2");
        assertThatThrownBy(() -> launcher("up", "--nodes", "9", "--port", "65500", "--dir", directory))
                .hasMessageContaining("too high for 9 nodes");
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void oneNodeIsPausedAndResumedButNeitherGrowsNorLosesTheOnlyControllersDisk() {
        Path directory = folder.resolve("cluster");
        String at = directory.toString();
        try (var server = CatchmentServer.up(directory, "", Map.of())) {
            assertThatThrownBy(() -> launcher("wipe", "1/../node-1", "--yes", "--dir", at))
                    .hasMessageContaining("needs a node number");
            launcher("pause", "1", "--dir", at);
            assertThat(launcher("status", "--dir", at)).contains("paused");
            launcher("resume", "1", "--dir", at);
            assertThat(server.ready()).isTrue();
            assertThatThrownBy(() -> launcher("wipe", "1", "--yes", "--dir", at))
                    .hasMessageContaining("node 1 runs");
            assertThatThrownBy(() -> launcher("add", "--dir", at)).hasMessageContaining("one copy of everything");
            assertThatThrownBy(() -> launcher("remove", "1", "--dir", at))
                    .hasMessageContaining("the least for 1 copies");
            assertThatThrownBy(() -> launcher("up", "--nodes", "3", "--dir", at))
                    .hasMessageContaining("a cluster of 1 nodes");

            launcher("pause", "1", "--dir", at);
            server.stop();
            // nobody else knows what the cluster has: what would start in its place may not touch the bucket
            assertThatThrownBy(() -> launcher("wipe", "1", "--yes", "--dir", at))
                    .hasMessageContaining("the only controller")
                    .hasMessageContaining("catchment recover");
            assertThat(server.walDirectory()).exists();
            server.start();
            assertThat(server.ready()).isTrue();
        }
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void aBucketHasOneOwnerAndARecoveryThatCannotBeStartsNothing() {
        String bucket = "file://" + folder.resolve("bucket");
        String target = folder.resolve("recovered").toString();
        assertThatThrownBy(() -> launcher("recover", "--dir", target)).hasMessageContaining("recover needs --from");
        assertThatThrownBy(() -> launcher("recover", "--from", bucket, "--port", "0", "--dir", target))
                .hasMessageContaining("no cluster has ever owned")
                .hasMessageContaining("nothing was started");
        assertThatThrownBy(() -> launcher("up", "--dir", target)).hasMessageContaining("was cut short");
        launcher("destroy", "--dir", target);

        try (var server = CatchmentServer.up(folder.resolve("owner"), bucket, Map.of())) {
            assertThatThrownBy(() -> CatchmentServer.up(folder.resolve("other"), bucket, Map.of()))
                    .hasMessageContaining("belongs to cluster")
                    .hasMessageContaining("catchment recover");
            assertThatThrownBy(() -> launcher(
                            "recover",
                            "--from",
                            bucket,
                            "--dir",
                            folder.resolve("owner").toString()))
                    .hasMessageContaining("recover into another --dir");
            assertThat(server.ready()).isTrue();
        }
    }

    @Test
    void foreignFoldersAreNeitherUsedNorDestroyed() throws Exception {
        Files.writeString(folder.resolve("precious"), "x");
        assertThatThrownBy(() -> launcher("up", "--dir", folder.toString()))
                .hasMessageContaining("not made by catchment up");
        assertThatThrownBy(() -> launcher("destroy", "--dir", folder.toString()))
                .hasMessageContaining("no cluster");
        assertThat(folder.resolve("precious")).exists();
    }
}
