package io.catchment.controlplane.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.controlplane.ControllerEndpoint;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import io.catchment.controlplane.proto.UnregisterNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;

class CommandFramesTest {
    private static final CommandRequest REQUEST = CommandRequest.newBuilder()
            .setSessionId(-5)
            .setSequence(7)
            .setUnregisterNode(UnregisterNode.newBuilder().setNodeId(3).setNodeEpoch(9))
            .build();

    @Test
    void requestsAndResponsesComeBackAsTheyWere() {
        ByteBuffer request = CommandFrames.writeRequest(42, REQUEST);
        assertThat(CommandFrames.apiKey(request)).isEqualTo(ControllerEndpoint.COMMAND_API_KEY);
        assertThat(CommandFrames.readRequest(request)).isEqualTo(new CommandFrames.Request(42, REQUEST));

        CommandResponse response = CommandResponse.newBuilder()
                .setStatus(CommandResponse.Status.FENCED)
                .setOffset(-1)
                .build();
        assertThat(CommandFrames.readResponse(CommandFrames.writeResponse(42, response)))
                .isEqualTo(new CommandFrames.Response(42, response));
    }

    @Test
    void aClientIdIsSkipped() {
        ByteBuffer plain = CommandFrames.writeRequest(42, REQUEST);
        byte[] client = "somebody".getBytes(StandardCharsets.UTF_8);
        ByteBuffer named = ByteBuffer.allocate(plain.remaining() + client.length);
        named.put(plain.slice(0, 8))
                .putShort((short) client.length)
                .put(client)
                .put(plain.slice(10, plain.remaining() - 10));
        assertThat(CommandFrames.readRequest(named.flip()).body()).isEqualTo(REQUEST);
    }

    @Test
    void aCutHeaderAndGarbageAreRefused() {
        byte[] whole = CommandFrames.writeRequest(42, REQUEST).array();
        for (int length = 0; length < 11; length++) {
            ByteBuffer cut = ByteBuffer.wrap(Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> CommandFrames.readRequest(cut))
                    .as("cut at %s", length)
                    .isInstanceOf(IllegalArgumentException.class);
        }
        byte[] garbage = whole.clone();
        Arrays.fill(garbage, 11, garbage.length, (byte) 0xff);
        assertThatThrownBy(() -> CommandFrames.readRequest(ByteBuffer.wrap(garbage)))
                .isInstanceOf(IllegalArgumentException.class);
        byte[] longClientId = whole.clone();
        longClientId[8] = 0x7f;
        assertThatThrownBy(() -> CommandFrames.readRequest(ByteBuffer.wrap(longClientId)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theKeyIsNoneOfKafkas() {
        assertThat(ApiKeys.hasId(ControllerEndpoint.COMMAND_API_KEY)).isFalse();
    }
}
