package io.catchment.broker.network;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is not Kafka's protocol ends its own connection, leaves nothing behind and harms nobody else. */
class GarbageTest {
    private TestServer server;
    private WireClient neighbour;

    @BeforeEach
    void start() throws Exception {
        server = new TestServer(
                NetworkLimits.DEFAULTS,
                request -> request.respond(new ApiVersionsResponse(new ApiVersionsResponseData())));
        neighbour = server.connect();
        neighbour.send(WireClient.apiVersions(1));
        assertThat(neighbour.receiveCorrelationId()).isEqualTo(1);
    }

    @AfterEach
    void neighbourIsUnaffectedAndNothingIsLeft() throws Exception {
        neighbour.send(WireClient.apiVersions(2));
        assertThat(neighbour.receiveCorrelationId()).isEqualTo(2);
        neighbour.close();
        server.close();
    }

    @Test
    void strangersOnThePortAreCutOff() throws Exception {
        byte[] tlsHello = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, (byte) 0xfc, 0x03, 0x03};
        for (byte[] garbage : List.of(
                "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII),
                tlsHello,
                "SSH-2.0-OpenSSH_9.2\r\n".getBytes(US_ASCII),
                new byte[64],
                ByteBuffer.allocate(8).putInt(-1).array(),
                ByteBuffer.allocate(8).putInt(Integer.MIN_VALUE).array(),
                ByteBuffer.allocate(4).putInt(7).array())) {
            try (WireClient client = server.connect()) {
                client.send(garbage);
                assertThat(client.isClosedByServer()).isTrue();
            }
        }
        TestServer.await(() -> server.closed.size() == 7, "seven connections closed");
        assertThat(server.closed).containsOnly(CloseReason.BAD_REQUEST);
    }

    @Test
    void oneByteMoreThanAllowedIsRefusedBeforeItIsRead() throws Exception {
        try (WireClient client = server.connect()) {
            client.send(ByteBuffer.allocate(4).putInt((100 << 20) + 1).array());
            assertThat(client.isClosedByServer()).isTrue();
        }
        server.awaitClosed(CloseReason.BAD_REQUEST);
    }

    @Test
    void requestsWithoutRecordsHaveASmallerLimit() throws Exception {
        try (WireClient client = server.connect()) {
            client.send(ByteBuffer.allocate(8)
                    .putInt(17 << 20)
                    .putShort(ApiKeys.METADATA.id)
                    .putShort((short) 12)
                    .array());
            assertThat(client.isClosedByServer()).isTrue();
        }
        server.awaitClosed(CloseReason.BAD_REQUEST);
    }

    @Test
    void unknownApisAndVersionsEndTheConnectionAsInKafka() throws Exception {
        for (short[] keyAndVersion : new short[][] {
            {999, 0}, {-1, 0}, {ApiKeys.METADATA.id, 99}, {ApiKeys.PRODUCE.id, 0}, {ApiKeys.VOTE.id, 0}
        }) {
            try (WireClient client = server.connect()) {
                client.send(ByteBuffer.allocate(4 + 10)
                        .putInt(10)
                        .putShort(keyAndVersion[0])
                        .putShort(keyAndVersion[1])
                        .putInt(1)
                        .putShort((short) -1)
                        .array());
                assertThat(client.isClosedByServer()).isTrue();
            }
        }
        TestServer.await(() -> server.closed.size() == 5, "five connections closed");
        assertThat(server.closed).containsOnly(CloseReason.BAD_REQUEST);
    }

    @Test
    void corruptBodiesEndTheConnection() throws Exception {
        byte[] body = WireClient.produce(1, (short) 1, ByteBuffer.allocate(100));
        int arrayLengthAt = body.length - 1 - 100 - 20;
        try (WireClient client = server.connect()) {
            byte[] broken = body.clone();
            for (int i = arrayLengthAt; i < arrayLengthAt + 8; i++) {
                broken[i] = (byte) 0xff;
            }
            client.send(broken);
            assertThat(client.isClosedByServer()).isTrue();
        }
        server.awaitClosed(CloseReason.BAD_REQUEST);
    }

    @Test
    void truncatedRequestsLeaveNothingBehind() throws Exception {
        byte[] whole = WireClient.produce(1, (short) 1, ByteBuffer.allocate(100_000));
        for (int length : new int[] {1, 3, 4, 5, 8, 20, 16_384, 16_385, 50_000, whole.length - 1}) {
            try (WireClient client = server.connect()) {
                client.send(whole, 0, length);
            }
        }
        TestServer.await(() -> server.closed.size() == 10, "ten connections closed");
        assertThat(server.closed).containsOnly(CloseReason.PEER);
    }

    @Test
    void apiVersionsFromTheFutureReachesTheHandlerAsVersionZero() throws Exception {
        try (WireClient client = server.connect()) {
            byte[] frame = WireClient.apiVersions(7);
            ByteBuffer.wrap(frame).putShort(6, (short) 99);
            client.send(frame);
            ByteBuffer answer = client.receive();
            assertThat(RequestHeader.parse(
                                    ByteBuffer.wrap(frame, 4, frame.length - 4).slice())
                            .isApiVersionSupported())
                    .isFalse();
            assertThat(answer.getInt()).isEqualTo(7);
            assertThat(answer.remaining())
                    .as("error code and empty array of version 0")
                    .isEqualTo(6);
        }
    }
}
