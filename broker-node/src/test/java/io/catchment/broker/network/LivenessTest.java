package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.junit.jupiter.api.Test;

/** Connections that do nothing, or next to nothing, end. */
class LivenessTest {
    private static final int MIB = 1 << 20;

    private static NetworkLimits limits(int connectionsMax, long idleMs) {
        return new NetworkLimits(MIB, MIB, 4 * MIB, 64, 64 * MIB, connectionsMax, idleMs, 60_000);
    }

    private static void answer(Request request) {
        request.respond(new ApiVersionsResponse(new ApiVersionsResponseData()));
    }

    @Test
    void idleConnectionsAreClosed() throws Exception {
        try (TestServer server = new TestServer(limits(100, 150), LivenessTest::answer);
                WireClient client = server.connect()) {
            client.send(WireClient.apiVersions(1));
            assertThat(client.receiveCorrelationId()).isEqualTo(1);
            assertThat(client.isClosedByServer()).isTrue();
            server.awaitClosed(CloseReason.IDLE);
        }
    }

    @Test
    void aConnectionThatWaitsForItsAnswerIsNotIdle() throws Exception {
        ConcurrentLinkedQueue<Request> held = new ConcurrentLinkedQueue<>();
        try (TestServer server = new TestServer(limits(100, 150), held::add);
                WireClient waiting = server.connect();
                WireClient idle = server.connect()) {
            waiting.send(WireClient.apiVersions(1));
            TestServer.await(() -> held.size() == 1, "the request");
            // the other connection is the clock: when it has been closed for idleness, the first could have been too
            assertThat(idle.isClosedByServer()).isTrue();
            server.awaitClosed(CloseReason.IDLE);
            assertThat(server.closed).hasSize(1);
            answer(held.remove());
            assertThat(waiting.receiveCorrelationId()).isEqualTo(1);
        }
    }

    @Test
    void halfAHeaderAndThenNothingIsCutOff() throws Exception {
        for (int length : new int[] {1, 4, 6, 9}) {
            try (TestServer server = new TestServer(limits(100, 150), LivenessTest::answer);
                    WireClient client = server.connect()) {
                client.send(WireClient.produce(1, (short) 1, ByteBuffer.allocate(100)), 0, length);
                assertThat(client.isClosedByServer()).isTrue();
                server.awaitClosed(CloseReason.STALLED);
            }
        }
    }

    @Test
    void aRequestThatDripsInIsCutOff() throws Exception {
        try (TestServer server = new TestServer(limits(100, 300), LivenessTest::answer);
                WireClient slow = server.connect()) {
            byte[] frame = WireClient.produce(1, (short) 1, ByteBuffer.allocate(100_000));
            int at = 0;
            while (!server.closed.contains(CloseReason.STALLED)) {
                assertThat(at).as("bytes sent").isLessThan(2_000);
                try {
                    slow.send(frame, at++, 1);
                } catch (java.io.IOException closedByServer) {
                    break;
                }
                Thread.sleep(10); // the slowness is what is tested
            }
            server.awaitClosed(CloseReason.STALLED);
        }
    }

    @Test
    void oneConnectionTooManyIsRefusedAndRoomIsMadeByClosing() throws Exception {
        try (TestServer server = new TestServer(limits(2, 60_000), LivenessTest::answer);
                WireClient first = server.connect()) {
            WireClient second = server.connect();
            second.send(WireClient.apiVersions(1));
            assertThat(second.receiveCorrelationId()).isEqualTo(1);
            first.send(WireClient.apiVersions(1));
            assertThat(first.receiveCorrelationId()).isEqualTo(1);
            try (WireClient third = server.connect()) {
                assertThat(third.isClosedByServer()).isTrue();
            }
            server.awaitClosed(CloseReason.REFUSED);
            second.close();
            TestServer.await(() -> server.server.openConnections() == 1, "the second is gone");
            try (WireClient fourth = server.connect()) {
                fourth.send(WireClient.apiVersions(4));
                assertThat(fourth.receiveCorrelationId()).isEqualTo(4);
            }
        }
    }

    @Test
    void theNioTransportServesToo() throws Exception {
        try (TestServer server = new TestServer(limits(100, 60_000), 1, false, LivenessTest::answer);
                WireClient client = server.connect()) {
            assertThat(server.loops.nativeTransport()).isFalse();
            client.send(WireClient.apiVersions(1)).send(WireClient.apiVersions(2));
            assertThat(client.receiveCorrelationId()).isEqualTo(1);
            assertThat(client.receiveCorrelationId()).isEqualTo(2);
        }
    }
}
