package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.Endpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The control plane on real Raft with one voter. */
class SingleControllerTest {
    private final AtomicReference<@Nullable Throwable> fatal = new AtomicReference<>();

    @TempDir
    Path directory;

    @Test
    void stateSurvivesRestart() throws Exception {
        long start = System.nanoTime();
        try (ControlPlaneServer server = start()) {
            ControlPlane plane = server.controlPlane();
            long epoch = get(plane.submit(register())).epoch();
            System.out.println("registered after " + (System.nanoTime() - start) / 1_000_000 + " ms");
            long create = System.nanoTime();
            var created = get(plane.submit(new Command.CreateTopics(
                    List.of(new Command.CreateTopic("readings", 1000, (short) 1, Map.of("retention.ms", "1000"))),
                    false)));
            System.out.println("created after " + (System.nanoTime() - create) / 1_000_000 + " ms");
            assertThat(created.get(0).error()).isNull();
            assertThat(epoch).isEqualTo(1);
            assertThat(plane.image().streams()).hasSize(1000);
            assertThat(plane.image()
                            .metadata()
                            .topics()
                            .getPartition(created.get(0).topicId(), 999)
                            .leader)
                    .isEqualTo(1);
        }
        long restart = System.nanoTime();
        try (ControlPlaneServer server = start()) {
            get(server.controlPlane().barrier());
            System.out.println("restarted after " + (System.nanoTime() - restart) / 1_000_000 + " ms");
            assertThat(server.controlPlane().image().streams()).hasSize(1000);
        }
        assertThat(fatal.get()).isNull();
    }

    private ControlPlaneServer start() throws Exception {
        return ControlPlaneServer.start(
                ControlPlaneConfig.singleController(
                        1, "test-cluster", directory, Set.of("broker", "wal", "controller"), "localhost", 9093),
                Time.SYSTEM,
                fatal::set);
    }

    private static Command.RegisterNode register() {
        return new Command.RegisterNode(
                1,
                "store-1",
                List.of(new Endpoint("PLAINTEXT", "localhost", 9092)),
                "zone-1",
                List.of("broker", "wal", "controller"),
                Uuid.randomUuid());
    }

    private static <T> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
    }
}
