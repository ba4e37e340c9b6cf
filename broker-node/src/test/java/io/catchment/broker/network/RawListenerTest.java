package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.UnpooledByteBufAllocator;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

/** A listener whose frames go to someone else whole. */
class RawListenerTest {
    private record Held(ByteBuffer frame, CompletableFuture<ByteBuffer[]> answer) {}

    private static byte[] frame(int correlationId, int length) {
        return ByteBuffer.allocate(4 + length)
                .putInt(length)
                .putShort((short) 52)
                .putShort((short) 1)
                .putInt(correlationId)
                .array();
    }

    @Test
    void framesGoInWholeAndAnswersComeOutInOrder() throws Exception {
        UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, false);
        ConcurrentLinkedQueue<Held> held = new ConcurrentLinkedQueue<>();
        try (EventLoops loops = EventLoops.create(1);
                NetworkServer server = new NetworkServer(
                        loops, NetworkLimits.DEFAULTS, NetworkObserver.NONE, NetworkQuotas.NONE, allocator)) {
            BoundListener listener =
                    server.bind("CONTROLLER", new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            listener.startRaw(frame -> {
                CompletableFuture<ByteBuffer[]> answer = new CompletableFuture<>();
                held.add(new Held(frame, answer));
                return answer;
            });
            try (WireClient client = new WireClient(listener.port())) {
                client.send(frame(0, 20)).send(frame(1, 50_000)).send(frame(2, 8));
                TestServer.await(() -> held.size() == 3, "three frames");
                List<Held> all = new ArrayList<>(held);
                assertThat(all.get(1).frame().remaining()).isEqualTo(50_000);
                for (int i = 2; i >= 0; i--) {
                    Held one = all.get(i);
                    int correlationId = one.frame().getInt(4);
                    one.answer().complete(new ByteBuffer[] {
                        ByteBuffer.allocate(4).putInt(0, correlationId), ByteBuffer.wrap(new byte[6_000 * i])
                    });
                }
                for (int i = 0; i < 3; i++) {
                    ByteBuffer answer = client.receive();
                    assertThat(answer.getInt(0)).isEqualTo(i);
                    assertThat(answer.remaining()).isEqualTo(4 + 6_000 * i);
                }
                client.send(frame(3, 20));
                TestServer.await(() -> held.size() == 4, "the fourth frame");
                new ArrayList<>(held)
                        .get(3)
                        .answer()
                        .completeExceptionally(new IllegalStateException("expected by this test"));
                assertThat(client.isClosedByServer()).isTrue();
            }
            TestServer.await(() -> server.openConnections() == 0, "all connections closed");
            assertThat(server.requestBytesInFlight()).isZero();
            TestServer.await(() -> allocator.metric().usedDirectMemory() == 0, "all buffers released");
        }
    }
}
