package io.catchment.objectstore;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;

/**
 * Where stores put what they read: pieces of 1 MiB that are freed one by one, so that who keeps a part of a body neither copies it nor keeps all
 * of it, and that fit into pooled memory.
 */
public final class PiecedBuffers {
    public static final int PIECE_BYTES = 1 << 20;

    private PiecedBuffers() {}

    /** Direct, with room for {@code length} bytes and nothing in it; in one piece if it fits. The caller releases it. */
    public static ByteBuf allocate(ByteBufAllocator allocator, int length) {
        if (length <= PIECE_BYTES) {
            return allocator.directBuffer(length, length);
        }
        int pieces = (length - 1) / PIECE_BYTES + 1;
        CompositeByteBuf whole = allocator.compositeDirectBuffer(Math.max(16, pieces));
        try {
            for (int at = 0; at < length; at += PIECE_BYTES) {
                int bytes = Math.min(PIECE_BYTES, length - at);
                whole.addComponent(false, allocator.directBuffer(bytes, bytes).writerIndex(bytes));
            }
            return whole;
        } catch (RuntimeException | OutOfMemoryError failed) {
            whole.release();
            throw failed;
        }
    }
}
