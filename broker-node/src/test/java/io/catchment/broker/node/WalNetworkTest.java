package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WalNetworkTest {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final FakeControlPlane controlPlane = new FakeControlPlane();

    @AfterEach
    void stop() {
        timer.shutdownNow();
    }

    private static NodeConfig config() {
        return NodeConfig.of(Map.of(
                "node.id", "1",
                "listeners", "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093,WAL://127.0.0.1:9095",
                "catchment.cluster.id", "watched",
                "catchment.dir", "/var/lib/catchment",
                "catchment.object.store", "file:///srv/objects"));
    }

    /** So that connections are refused. */
    private static int freePort() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return taken.getLocalPort();
        }
    }

    @Test
    void aDeadPeerIsNoticedWhileTheNameServerHangs() throws Exception {
        controlPlane.applyNow(new Command.RegisterNode(
                2,
                "store-2",
                List.of(new Endpoint("WAL", "127.0.0.1", freePort())),
                "zone-2",
                List.of("broker", "wal"),
                Uuid.randomUuid()));
        try (WalNetwork network =
                WalNetwork.open(config(), controlPlane, lookup -> {}).orElseThrow()) {
            network.watch(timer, hanging -> {});
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (network.unreachableMs().isEmpty() && System.nanoTime() < deadline) {
                Thread.sleep(5);
            }
            assertThat(network.unreachableMs()).containsOnlyKeys(2);
        }
    }
}
