package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.command.CommandCodec;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import io.catchment.controlplane.proto.CommandResponse.Status;
import io.catchment.controlplane.rpc.LeaderConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SupersededEndToEndTest {
    private static final String CLUSTER = "twice";

    @TempDir
    Path temp;

    /** Each of two would fence the other for ever. */
    @Test
    void aNodeWhoseIdAnotherProcessHasRegisteredSinceSaysSoAndEnds() throws Exception {
        try (LocalNode node = LocalNode.start(temp, Map.of("catchment.cluster.id", CLUSTER))) {
            register(node);
            assertThat(awaitEnd(node))
                    .hasCauseInstanceOf(SupersededException.class)
                    .hasMessageContaining("node 1")
                    .hasMessageContaining("elsewhere")
                    .hasMessageContaining("node.id");
        }
    }

    private static Throwable awaitEnd(LocalNode node) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (true) {
            @Nullable Throwable why = node.gaveUp();
            if (why != null) {
                return why;
            }
            assertThat(System.nanoTime())
                    .as("it goes on: %s", node.http("/status"))
                    .isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static void register(LocalNode node) throws Exception {
        CommandRequest.Builder request = CommandRequest.newBuilder()
                .setClusterId(CLUSTER)
                .setSessionId(5)
                .setSequence(1)
                .setAckedBelow(1);
        CommandCodec.write(
                new Command.RegisterNode(
                        1,
                        "another-store",
                        List.of(new Endpoint("PLAINTEXT", "elsewhere", 9092)),
                        "",
                        List.of("broker", "wal"),
                        Uuid.randomUuid(),
                        true),
                request);
        try (LeaderConnection connection = new LeaderConnection(new ListenerName("CONTROLLER"), 9, Time.SYSTEM)) {
            CommandResponse response = connection
                    .send(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), node.controllerPort()),
                            request.build())
                    .get(60, TimeUnit.SECONDS);
            assertThat(response.getStatus()).isEqualTo(Status.DONE);
        }
    }
}
