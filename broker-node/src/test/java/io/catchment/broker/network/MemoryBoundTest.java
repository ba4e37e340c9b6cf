package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.requests.ProduceResponse;
import org.junit.jupiter.api.Test;

/** Memory for requests is bounded whatever clients send, and nobody waits for ever. */
class MemoryBoundTest {
    private static final int MIB = 1 << 20;

    private static NetworkLimits limits(int requestMax, long queuedMax, int pipelined, long idleMs, long stallMs) {
        return new NetworkLimits(requestMax, requestMax, queuedMax, pipelined, 64 * MIB, 1000, idleMs, stallMs);
    }

    private static void answer(Request request) {
        request.respond(new ProduceResponse(new ProduceResponseData()));
    }

    @Test
    void socketsAreNotReadWhileMemoryIsHeldAndAllCompleteAfter() throws Exception {
        int clients = 24;
        int requestBytes = MIB;
        int fit = 4;
        ConcurrentLinkedQueue<Request> held = new ConcurrentLinkedQueue<>();
        CountDownLatch answered = new CountDownLatch(clients);
        AtomicInteger writing = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        NetworkLimits limits = limits(2 * MIB, fit * MIB + MIB / 2, 64, 60_000, 60_000);
        try (TestServer server = new TestServer(limits, held::add)) {
            for (int i = 0; i < clients; i++) {
                int id = i;
                Thread thread = new Thread(() -> {
                    try (WireClient client = server.connect()) {
                        byte[] frame = WireClient.produce(id, (short) 1, ByteBuffer.allocate(requestBytes));
                        writing.incrementAndGet();
                        client.send(frame);
                        assertThat(client.receiveCorrelationId()).isEqualTo(id);
                        answered.countDown();
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                });
                thread.start();
                threads.add(thread);
            }
            TestServer.await(() -> held.size() == fit, "as many requests as fit in memory");
            TestServer.await(() -> server.server.requestsWaitingForMemory() == clients - fit, "the others wait");
            assertThat(server.server.requestBytesInFlight()).isLessThanOrEqualTo(limits.queuedRequestBytesMax());
            assertThat(server.allocator.metric().usedDirectMemory())
                    .as("frames in memory, and a small chunk for each that waits")
                    .isLessThanOrEqualTo(
                            limits.queuedRequestBytesMax() + (long) clients * 2 * FrameRecvAllocator.CHUNK_BYTES);
            assertThat(held).hasSize(fit);
            while (answered.getCount() > 0) {
                Request next = held.poll();
                if (next != null) {
                    answer(next);
                } else {
                    answered.await(1, TimeUnit.MILLISECONDS);
                }
                assertThat(server.server.requestBytesInFlight()).isLessThanOrEqualTo(limits.queuedRequestBytesMax());
            }
            for (Thread thread : threads) {
                thread.join(WireClient.TIMEOUT_MS);
            }
        }
    }

    @Test
    void clientsThatGoWhileTheyWaitGiveUpTheirPlace() throws Exception {
        ConcurrentLinkedQueue<Request> held = new ConcurrentLinkedQueue<>();
        try (TestServer server = new TestServer(limits(2 * MIB, 2 * MIB, 64, 60_000, 60_000), held::add);
                WireClient first = server.connect()) {
            first.send(WireClient.produce(1, (short) 1, ByteBuffer.allocate(3 * MIB / 2)));
            TestServer.await(() -> held.size() == 1, "the first request");
            byte[] second = WireClient.produce(2, (short) 1, ByteBuffer.allocate(MIB));
            for (int i = 0; i < 5; i++) {
                try (WireClient gone = server.connect()) {
                    gone.send(second, 0, 100);
                    TestServer.await(() -> server.server.requestsWaitingForMemory() == 1, "a request that waits");
                }
                TestServer.await(() -> server.server.requestsWaitingForMemory() == 0, "it left the queue");
            }
            answer(held.remove());
            assertThat(first.receiveCorrelationId()).isEqualTo(1);
        }
    }

    @Test
    void aHalfRequestThatStandsStillLosesItsMemoryToThoseWhoWait() throws Exception {
        try (TestServer server = new TestServer(limits(2 * MIB, 2 * MIB, 64, 60_000, 200), MemoryBoundTest::answer);
                WireClient slow = server.connect();
                WireClient other = server.connect()) {
            byte[] large = WireClient.produce(1, (short) 1, ByteBuffer.allocate(3 * MIB / 2));
            slow.send(large, 0, 1000);
            TestServer.await(() -> server.server.requestBytesInFlight() > MIB, "memory taken by half a request");
            other.send(WireClient.produce(2, (short) 1, ByteBuffer.allocate(MIB)));
            assertThat(other.receiveCorrelationId()).isEqualTo(2);
            assertThat(slow.isClosedByServer()).isTrue();
            server.awaitClosed(CloseReason.STALLED);
        }
    }

    @Test
    void aConnectionMayHaveSoManyRequestsAtATime() throws Exception {
        Queue<Request> held = new ConcurrentLinkedQueue<>();
        int max = 3;
        try (TestServer server = new TestServer(limits(2 * MIB, 64 * MIB, max, 60_000, 60_000), held::add);
                WireClient client = server.connect()) {
            int count = 20;
            for (int i = 0; i < count; i++) {
                client.send(WireClient.produce(i, (short) 1, ByteBuffer.allocate(i % 2 == 0 ? 10 : 40_000)));
            }
            for (int i = 0; i < count; i++) {
                int expected = Math.min(max, count - i);
                TestServer.await(() -> held.size() == expected, expected + " requests handed on");
                assertThat(held).hasSizeLessThanOrEqualTo(max);
                answer(held.remove());
                assertThat(client.receiveCorrelationId()).isEqualTo(i);
            }
        }
    }
}
