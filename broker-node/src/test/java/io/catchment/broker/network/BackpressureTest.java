package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.Test;

/** Clients that do not read what they asked for cannot pile up answers in the node's memory. */
class BackpressureTest {
    private static final int MIB = 1 << 20;
    private static final short VERSION = 16;

    private static byte[] fetch(int correlationId) {
        FetchRequestData data = new FetchRequestData().setMaxBytes(8 * MIB).setMinBytes(1);
        return WireClient.frame(
                new RequestHeader(ApiKeys.FETCH, VERSION, "wire", correlationId), new FetchRequest(data, VERSION));
    }

    private static FetchResponse answer(TestServer server, int bytes) {
        FetchResponseData data = new FetchResponseData();
        FetchResponseData.FetchableTopicResponse topic =
                new FetchResponseData.FetchableTopicResponse().setTopicId(new Uuid(1, 1));
        ByteBuf records = server.allocator.directBuffer(bytes, bytes).writeZero(bytes);
        topic.partitions().add(new FetchResponseData.PartitionData().setRecords(new ByteBufRecords(records)));
        data.responses().add(topic);
        return FetchResponse.of(data);
    }

    private static NetworkLimits limits(long unsentMax, long idleMs, long stallMs) {
        return new NetworkLimits(MIB, MIB, 4 * MIB, 64, unsentMax, 1000, idleMs, stallMs);
    }

    @Test
    void aFetchIsBegunOnlyWhenTheAnswerBeforeHasLeft() throws Exception {
        int bytes = 16 * MIB;
        ConcurrentLinkedQueue<Request> held = new ConcurrentLinkedQueue<>();
        AtomicInteger begun = new AtomicInteger();
        try (TestServer server = new TestServer(limits(256L * MIB, 60_000, 60_000), request -> {
                    begun.incrementAndGet();
                    held.add(request);
                });
                WireClient client = server.connect()) {
            for (int i = 0; i < 5; i++) {
                client.send(fetch(i));
            }
            for (int i = 0; i < 5; i++) {
                int so = i + 1;
                TestServer.await(() -> begun.get() == so, "fetch " + i + " begun");
                Request request = held.remove();
                request.respond(answer(server, bytes));
                TestServer.await(() -> server.server.responseBytesUnsent() > 0, "an answer too large for the socket");
                assertThat(begun).hasValue(i + 1);
                ByteBuffer frame = client.receive();
                assertThat(frame.getInt(0)).isEqualTo(i);
                assertThat(frame.remaining()).isGreaterThan(bytes);
            }
            TestServer.await(() -> server.allocator.metric().usedDirectMemory() < MIB, "answers are released");
        }
    }

    /** It brings no records; the next one is sent behind it to end its wait. */
    @Test
    void aFetchBehindThatOfAFollowerIsBegun() throws Exception {
        ConcurrentLinkedQueue<Request> held = new ConcurrentLinkedQueue<>();
        try (TestServer server = new TestServer(limits(256L * MIB, 60_000, 60_000), held::add);
                WireClient client = server.connect()) {
            for (int i = 0; i < 2; i++) {
                client.send(WireClient.frame(
                        new RequestHeader(ApiKeys.FETCH, VERSION, "wire", i),
                        FetchRequest.Builder.forReplica(VERSION, 5, 1, 500, 1, Map.of())
                                .build(VERSION)));
            }
            TestServer.await(() -> held.size() == 2, "both begun");
            for (int i = 0; i < 2; i++) {
                held.remove().respond(FetchResponse.of(new FetchResponseData()));
                assertThat(client.receive().getInt(0)).isEqualTo(i);
            }
        }
    }

    @Test
    void noFetchIsBegunWhileTooMuchLiesUnsentElsewhere() throws Exception {
        int bytes = 16 * MIB;
        AtomicInteger begun = new AtomicInteger();
        TestServer[] holder = new TestServer[1];
        try (TestServer server = new TestServer(limits(MIB, 60_000, 60_000), request -> {
                    begun.incrementAndGet();
                    request.respond(answer(holder[0], bytes));
                });
                WireClient slow = server.connect();
                WireClient other = server.connect()) {
            holder[0] = server;
            slow.send(fetch(1));
            TestServer.await(() -> server.server.responseBytesUnsent() > 0, "an unread answer");
            other.send(fetch(2));
            other.send(fetch(3));
            slow.receive();
            assertThat(other.receiveCorrelationId()).isEqualTo(2);
            assertThat(other.receiveCorrelationId()).isEqualTo(3);
            assertThat(begun).hasValue(3);
        }
    }

    @Test
    void anUnreadAnswerGivesWayToThoseWhoWait() throws Exception {
        AtomicInteger begun = new AtomicInteger();
        TestServer[] holder = new TestServer[1];
        try (TestServer server = new TestServer(limits(MIB, 60_000, 200), request -> {
                    begun.incrementAndGet();
                    request.respond(answer(holder[0], 16 * MIB));
                });
                WireClient dead = server.connect();
                WireClient other = server.connect()) {
            holder[0] = server;
            dead.send(fetch(1));
            TestServer.await(() -> server.server.responseBytesUnsent() > 0, "an unread answer");
            other.send(fetch(2));
            assertThat(other.receiveCorrelationId()).isEqualTo(2);
            server.awaitClosed(CloseReason.STALLED);
        }
    }

    @Test
    void answersToAConnectionThatIsGoneAreReleased() throws Exception {
        ConcurrentLinkedQueue<Request> held = new ConcurrentLinkedQueue<>();
        AtomicInteger disconnects = new AtomicInteger();
        try (TestServer server = new TestServer(limits(256L * MIB, 60_000, 60_000), request -> {
            request.onDisconnect(disconnects::incrementAndGet);
            request.onDisconnect(disconnects::incrementAndGet);
            held.add(request);
        })) {
            try (WireClient client = server.connect()) {
                client.send(fetch(1));
                TestServer.await(() -> held.size() == 1, "the fetch");
            }
            TestServer.await(() -> disconnects.get() == 2, "both listeners told");
            Request request = held.remove();
            request.onDisconnect(disconnects::incrementAndGet);
            TestServer.await(() -> disconnects.get() == 3, "a late listener told at once");
            request.respond(answer(server, 5 * MIB));
            TestServer.await(() -> server.allocator.metric().usedDirectMemory() == 0, "the answer is released");
        }
    }
}
