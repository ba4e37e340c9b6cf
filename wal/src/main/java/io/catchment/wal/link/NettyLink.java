package io.catchment.wal.link;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.List;
import java.util.function.Function;

/** A link over a netty channel. Thread-safe: what changes is owned by the channel's event loop. */
final class NettyLink extends ChannelInboundHandlerAdapter implements Link {
    private final Channel channel;
    private final MessageFramer framer;
    private final LinkHandler handler;
    private String closedBecause = "the connection was closed by the peer";

    NettyLink(Channel channel, MessageFramer framer, Function<Link, LinkHandler> handlers) {
        this.channel = channel;
        this.framer = framer;
        this.handler = handlers.apply(this);
    }

    @Override
    public void send(ByteBuf head, List<ByteBuf> payload) {
        channel.eventLoop().execute(() -> {
            // One by one: the channel gathers them into one system call whatever their number.
            write(head);
            payload.forEach(this::write);
            channel.flush();
        });
    }

    private void write(ByteBuf bytes) {
        var unused = channel.write(bytes, channel.voidPromise());
    }

    @Override
    public void messageBytesMax(int bytes) {
        framer.bytesMax(bytes);
    }

    @Override
    public void pauseReading(boolean paused) {
        channel.config().setAutoRead(!paused);
    }

    @Override
    public void close(String why) {
        channel.eventLoop().execute(() -> {
            if (channel.isOpen()) {
                closedBecause = why;
                var unused = channel.close();
            }
        });
    }

    @Override
    public String peer() {
        return String.valueOf(channel.remoteAddress());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        handler.received((ByteBuf) message);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        closedBecause = cause.toString();
        var unused = context.close();
    }

    /** The outbound buffers were let go of before this is called. */
    @Override
    public void channelInactive(ChannelHandlerContext context) {
        handler.closed(closedBecause);
    }
}
