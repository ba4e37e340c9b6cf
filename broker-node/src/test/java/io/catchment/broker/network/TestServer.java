package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.kafka.common.protocol.ApiKeys;

/** A server on a free port whose handler is a lambda. Closing it checks that no buffer and no request memory is left. */
final class TestServer implements AutoCloseable {
    final EventLoops loops;
    final NetworkServer server;
    final BoundListener listener;
    final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, false);
    final List<CloseReason> closed = Collections.synchronizedList(new ArrayList<>());
    private final Set<ApiKeys> apis =
            EnumSet.of(ApiKeys.API_VERSIONS, ApiKeys.PRODUCE, ApiKeys.FETCH, ApiKeys.METADATA);

    TestServer(NetworkLimits limits, Consumer<Request> handler) throws IOException {
        this(limits, 2, true, handler);
    }

    TestServer(NetworkLimits limits, NetworkQuotas quotas, Consumer<Request> handler) throws IOException {
        this(limits, 2, true, quotas, handler);
    }

    TestServer(NetworkLimits limits, int threads, boolean nativeTransport, Consumer<Request> handler)
            throws IOException {
        this(limits, threads, nativeTransport, NetworkQuotas.NONE, handler);
    }

    private TestServer(
            NetworkLimits limits, int threads, boolean nativeTransport, NetworkQuotas quotas, Consumer<Request> handler)
            throws IOException {
        loops = EventLoops.create(threads, nativeTransport && io.netty.channel.epoll.Epoll.isAvailable());
        NetworkObserver observer = new NetworkObserver() {
            @Override
            public void connectionClosed(String listener, CloseReason reason) {
                closed.add(reason);
            }
        };
        server = new NetworkServer(loops, limits, observer, quotas, allocator);
        listener = server.bind("PLAINTEXT", new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        listener.start(new RequestHandler() {
            @Override
            public boolean accepts(ApiKeys api, short version) {
                return apis.contains(api) && api.isVersionEnabled(version, false);
            }

            @Override
            public void handle(Request request) {
                handler.accept(request);
            }
        });
    }

    WireClient connect() throws IOException {
        return new WireClient(listener.port());
    }

    void awaitClosed(CloseReason reason) {
        await(() -> closed.contains(reason), "a connection closed as " + reason);
    }

    static void await(BooleanSupplier condition, String what) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WireClient.TIMEOUT_MS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("did not come within " + WireClient.TIMEOUT_MS + " ms: " + what);
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Override
    public void close() {
        server.close();
        await(() -> server.openConnections() == 0, "all connections closed");
        await(() -> server.requestBytesInFlight() == 0, "all request memory given back");
        await(() -> server.responseBytesUnsent() == 0, "nothing unsent");
        loops.close();
        await(() -> allocator.metric().usedDirectMemory() == 0, "all direct buffers released");
        assertThat(allocator.metric().usedHeapMemory()).isZero();
        assertThat(server.requestsWaitingForMemory()).isZero();
    }
}
