package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.Test;

/** Many connections, and connections that end at the worst moment: nothing of them is left. */
class CrowdTest {
    private static final int MIB = 1 << 20;
    private static final short FETCH_VERSION = 16;

    private static void hello(Request request) {
        request.respond(new ApiVersionsResponse(new ApiVersionsResponseData()));
    }

    @Test
    void manyConnectionsAreServedTogether() throws Exception {
        int count = 500;
        List<WireClient> clients = new ArrayList<>();
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, CrowdTest::hello)) {
            for (int i = 0; i < count; i++) {
                clients.add(server.connect());
            }
            for (int round = 0; round < 3; round++) {
                for (WireClient client : clients) {
                    client.send(WireClient.apiVersions(round));
                }
                for (WireClient client : clients) {
                    assertThat(client.receiveCorrelationId()).isEqualTo(round);
                }
            }
            assertThat(server.server.openConnections()).isEqualTo(count);
            for (WireClient client : clients) {
                client.close();
            }
            TestServer.await(() -> server.server.openConnections() == 0, "all gone");
            assertThat(server.allocator.metric().usedDirectMemory()).isZero();
        }
    }

    @Test
    void connectionsThatAreResetAtOnceAreNotCountedForEver() throws Exception {
        for (boolean nativeTransport : new boolean[] {true, false}) {
            try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, 2, nativeTransport, CrowdTest::hello)) {
                for (int i = 0; i < 300; i++) {
                    WireClient client = server.connect();
                    if (i % 3 == 0) {
                        client.send(WireClient.apiVersions(i));
                    }
                    reset(client);
                }
                TestServer.await(() -> server.closed.size() == 300, "all of them noticed and gone");
                try (WireClient client = server.connect()) {
                    client.send(WireClient.apiVersions(1));
                    assertThat(client.receiveCorrelationId()).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void clientsThatVanishInTheMiddleOfAnAnswerLeaveNothing() throws Exception {
        int bytes = 16 * MIB;
        TestServer[] holder = new TestServer[1];
        try (TestServer server =
                new TestServer(NetworkLimits.DEFAULTS, request -> request.respond(records(holder[0], bytes)))) {
            holder[0] = server;
            for (int i = 0; i < 20; i++) {
                WireClient client = server.connect();
                client.send(fetch(i)).send(fetch(i)).send(fetch(i));
                assertThat(client.socket.getInputStream().readNBytes(MIB * (i % 4)))
                        .hasSize(MIB * (i % 4));
                TestServer.await(() -> server.server.responseBytesUnsent() > 0, "an answer on its way");
                if (i % 2 == 0) {
                    client.close();
                } else {
                    reset(client);
                }
                TestServer.await(() -> server.server.responseBytesUnsent() == 0, "the rest is dropped");
                TestServer.await(() -> server.allocator.metric().usedDirectMemory() == 0, "its buffers are released");
            }
            assertThat(server.closed).containsOnly(CloseReason.PEER);
        }
    }

    /** The client goes while its request is with the handler, which answers later. */
    @Test
    void answersForClientsThatAreGoneGoNowhere() throws Exception {
        List<Request> held = java.util.Collections.synchronizedList(new ArrayList<>());
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, held::add)) {
            for (int i = 0; i < 50; i++) {
                WireClient client = server.connect();
                client.send(WireClient.produce(i, (short) -1, ByteBuffer.allocate(50_000)));
                int so = i + 1;
                TestServer.await(() -> held.size() == so, "request " + i);
                reset(client);
            }
            TestServer.await(() -> server.server.openConnections() == 0, "all gone");
            assertThat(server.server.requestBytesInFlight())
                    .as("their memory is held until the handler is done with it")
                    .isPositive();
            held.forEach(request -> request.respond(new ProduceResponse(new ProduceResponseData())));
            TestServer.await(() -> server.server.requestBytesInFlight() == 0, "memory given back");
        }
    }

    @Test
    void theLargestRequestAllowedComesThrough() throws Exception {
        AtomicInteger received = new AtomicInteger();
        int limit = NetworkLimits.DEFAULTS.requestBytesMax();
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, request -> {
                    received.set(((ProduceRequest) request.body())
                            .data()
                            .topicData()
                            .iterator()
                            .next()
                            .partitionData()
                            .get(0)
                            .records()
                            .sizeInBytes());
                    request.respond(new ProduceResponse(new ProduceResponseData()));
                });
                WireClient client = server.connect()) {
            byte[] empty = WireClient.produce(1, (short) -1, ByteBuffer.allocate(MIB));
            int recordsAt = empty.length - MIB - 3; // behind them: the tags of partition, topic and request
            int records = limit - (empty.length - 4 - MIB) - 1; // their length takes one byte more
            ByteBuffer head = ByteBuffer.allocate(recordsAt + 1);
            head.put(empty, 0, recordsAt - 3).putInt(0, limit);
            for (int rest = records + 1, i = 0; i < 4; i++, rest >>>= 7) {
                head.put((byte) (i < 3 ? rest | 0x80 : rest));
            }
            client.send(head.array(), 0, head.position());
            byte[] piece = new byte[MIB];
            for (int left = records + 3; left > 0; left -= piece.length) {
                client.send(piece, 0, Math.min(left, piece.length));
            }
            assertThat(client.receiveCorrelationId()).isEqualTo(1);
            assertThat(received).hasValue(records);
        }
    }

    /** By RST, not by FIN. */
    private static void reset(WireClient client) throws IOException {
        client.socket.setSoLinger(true, 0);
        client.close();
    }

    private static byte[] fetch(int correlationId) {
        FetchRequestData data = new FetchRequestData().setMaxBytes(32 * MIB).setMinBytes(1);
        return WireClient.frame(
                new RequestHeader(ApiKeys.FETCH, FETCH_VERSION, "wire", correlationId),
                new FetchRequest(data, FETCH_VERSION));
    }

    private static FetchResponse records(TestServer server, int bytes) {
        FetchResponseData data = new FetchResponseData();
        FetchResponseData.FetchableTopicResponse topic =
                new FetchResponseData.FetchableTopicResponse().setTopicId(new Uuid(1, 1));
        ByteBuf records = server.allocator.directBuffer(bytes, bytes).writeZero(bytes);
        topic.partitions().add(new FetchResponseData.PartitionData().setRecords(new ByteBufRecords(records)));
        data.responses().add(topic);
        return FetchResponse.of(data);
    }
}
