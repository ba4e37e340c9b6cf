package io.catchment.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
    void unknownKeyIsAClearErrorAtStart() {
        assertThatThrownBy(() -> CatchmentServer.up(folder.resolve("cluster"), "", Map.of("catchment.wall.dir", "x")))
                .hasMessageContaining("node 1 did not start")
                .hasMessageContaining("catchment.wall.dir");
    }

    @Test
    void severalNodesComeWithTheNextVersion() {
        assertThatThrownBy(() -> launcher(
                        "up", "--nodes", "3", "--dir", folder.resolve("c").toString()))
                .hasMessageContaining("this version runs one node");
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
