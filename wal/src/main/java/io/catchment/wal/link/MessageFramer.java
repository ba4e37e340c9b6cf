package io.catchment.wal.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts the byte stream into messages: a length of four bytes, then so many bytes. Owned by its channel's event loop.
 * Nothing is copied: a message is made of slices of the buffers that the socket was read into.
 */
final class MessageFramer extends ChannelInboundHandlerAdapter {
    private final List<ByteBuf> parts = new ArrayList<>();
    private volatile int bytesMax;
    private int lengthBytes;
    private int length;
    private int missing;

    MessageFramer(int bytesMax) {
        this.bytesMax = bytesMax;
    }

    void bytesMax(int bytes) {
        bytesMax = bytes;
    }

    int bytesMax() {
        return bytesMax;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            while (bytes.isReadable() && context.channel().isActive()) {
                if (lengthBytes < Integer.BYTES) {
                    readLength(context, bytes);
                } else {
                    readBody(context, bytes);
                }
            }
        } finally {
            bytes.release();
        }
    }

    private void readLength(ChannelHandlerContext context, ByteBuf bytes) {
        length = (length << 8) | bytes.readUnsignedByte();
        if (++lengthBytes == Integer.BYTES) {
            missing = length;
            if (length <= 0 || length > bytesMax) {
                context.fireExceptionCaught(new IllegalArgumentException(
                        "a message of " + length + " bytes was announced, at most " + bytesMax + " are taken"));
                var unused = context.close();
            }
        }
    }

    private void readBody(ChannelHandlerContext context, ByteBuf bytes) {
        int taken = Math.min(missing, bytes.readableBytes());
        parts.add(bytes.readRetainedSlice(taken));
        missing -= taken;
        if (missing == 0) {
            ByteBuf whole = whole(context);
            lengthBytes = 0;
            length = 0;
            context.fireChannelRead(whole);
        }
    }

    private ByteBuf whole(ChannelHandlerContext context) {
        if (parts.size() == 1) {
            ByteBuf only = parts.get(0);
            parts.clear();
            return only;
        }
        CompositeByteBuf all = context.alloc().compositeBuffer(parts.size());
        all.addComponents(true, parts);
        parts.clear();
        return all;
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        parts.forEach(ByteBuf::release);
        parts.clear();
    }
}
