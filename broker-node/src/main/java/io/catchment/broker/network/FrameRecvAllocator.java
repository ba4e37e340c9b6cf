package io.catchment.broker.network;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Tells netty where to read to: into the buffer of the frame that is being received if there is one, so that the kernel
 * copies a large request straight to its final place; else into a small buffer. One per connection, used on its event loop.
 */
final class FrameRecvAllocator extends DefaultMaxMessagesRecvByteBufAllocator {
    /** Enough for many small requests at once; what of a large request lands here is copied once. */
    static final int CHUNK_BYTES = 16 * 1024;

    private final FrameReceiver receiver;

    FrameRecvAllocator(FrameReceiver receiver) {
        this.receiver = receiver;
    }

    @Override
    public MaxMessageHandle newHandle() {
        return new IntoFrame();
    }

    private final class IntoFrame extends MaxMessageHandle {
        @Override
        public ByteBuf allocate(ByteBufAllocator allocator) {
            @Nullable ByteBuf frame = receiver.unfinishedFrame();
            return frame != null ? frame.retain() : allocator.ioBuffer(CHUNK_BYTES, CHUNK_BYTES);
        }

        @Override
        public int guess() {
            return CHUNK_BYTES;
        }
    }
}
