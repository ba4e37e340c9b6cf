package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.command.CommandCodec;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse.Status;
import io.catchment.controlplane.rpc.LeaderConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.utils.Time;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DrainEndToEndTest {
    private static final String CLUSTER = "drained";

    @TempDir
    Path temp;

    /** What removes it from the cluster waits for its drain, and a pause that costs it its epoch must not end that unnoticed. */
    @Test
    void aNodeThatIsBeingDrainedAndFencedIsBeingDrainedInItsNextEpochToo() throws Exception {
        try (LocalNode node = LocalNode.start(temp, Map.of("catchment.cluster.id", CLUSTER))) {
            assertThat(node.http("/drain", "POST")).contains("draining");
            assertThat(status(node, "draining")).isEqualTo("true");
            String epoch = status(node, "epoch");
            fence(node, Long.parseLong(epoch));
            await(node, "epoch", epoch, false);
            await(node, "fenced", "false", true);
            await(node, "draining", "true", true);

            node.restart();
            assertThat(status(node, "draining"))
                    .as("whoever starts it again uses it")
                    .isEqualTo("false");
        }
    }

    private static void fence(LocalNode node, long epoch) throws Exception {
        CommandRequest.Builder request = CommandRequest.newBuilder()
                .setClusterId(CLUSTER)
                .setSessionId(5)
                .setSequence(1)
                .setAckedBelow(1);
        CommandCodec.write(new Command.FenceNode(1, epoch), request);
        try (LeaderConnection connection = new LeaderConnection(new ListenerName("CONTROLLER"), 9, Time.SYSTEM)) {
            assertThat(connection
                            .send(
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), node.controllerPort()),
                                    request.build())
                            .get(60, TimeUnit.SECONDS)
                            .getStatus())
                    .isEqualTo(Status.DONE);
        }
    }

    private static void await(LocalNode node, String field, String value, boolean equal) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (status(node, field).equals(value) != equal) {
            assertThat(System.nanoTime())
                    .as("waiting for %s %s %s: %s", field, equal ? "=" : "≠", value, node.http("/status"))
                    .isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static String status(LocalNode node, String field) throws Exception {
        String status = node.http("/status");
        Matcher value = Pattern.compile("\"" + field + "\":([^,}]+)").matcher(status);
        assertThat(value.find()).as(status).isTrue();
        return value.group(1);
    }
}
