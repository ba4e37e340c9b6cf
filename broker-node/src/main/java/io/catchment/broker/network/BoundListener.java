package io.catchment.broker.network;

import io.netty.channel.Channel;
import io.netty.channel.socket.SocketChannel;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.network.ListenerName;
import org.jspecify.annotations.Nullable;

/** A listening port. Thread-safe. */
public final class BoundListener {
    private final String name;
    private final Channel channel;
    private final Connector connector;

    BoundListener(String name, Channel channel, Connector connector) {
        this.name = name;
        this.channel = channel;
        this.connector = connector;
    }

    public String name() {
        return name;
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    public int port() {
        return address().getPort();
    }

    /** Lets connections in; their requests are parsed and go to {@code handler}. */
    public void start(RequestHandler handler) {
        connector.set((listener, shared, connection) ->
                new KafkaConnection(listener, handler, shared, connection, connector.connectionId(connection)));
        channel.config().setAutoRead(true);
    }

    /** Lets connections in; their frames go to {@code handler} as they are. */
    public void startRaw(RawHandler handler) {
        connector.set((listener, shared, connection) -> new RawConnection(handler, shared, connection));
        channel.config().setAutoRead(true);
    }

    void close() {
        channel.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
    }

    /** Makes the protocol side of an accepted connection. */
    interface Protocol {
        FrameSink sink(ListenerName listener, ServerShared shared, SocketChannel connection);
    }

    /** The protocol of a listener, set once when it is started. Thread-safe. */
    static final class Connector {
        private final AtomicLong numbers = new AtomicLong();
        private volatile @Nullable Protocol protocol;

        void set(Protocol chosen) {
            if (protocol != null) {
                throw new IllegalStateException("listener is already started");
            }
            protocol = chosen;
        }

        FrameSink connect(ListenerName listener, ServerShared shared, SocketChannel connection) {
            Protocol chosen = protocol;
            if (chosen == null) {
                throw new IllegalStateException("connection accepted before the listener was started");
            }
            return chosen.sink(listener, shared, connection);
        }

        /** As Kafka names connections: local address, remote address, number. */
        String connectionId(SocketChannel connection) {
            InetSocketAddress local = connection.localAddress();
            InetSocketAddress remote = connection.remoteAddress();
            return local.getAddress().getHostAddress() + ":" + local.getPort() + "-"
                    + remote.getAddress().getHostAddress() + ":" + remote.getPort() + "-" + numbers.getAndIncrement();
        }
    }
}
