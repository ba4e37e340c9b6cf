package io.catchment.objectstore.bundle;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Owned by its bundle writer. Copies small payloads behind each other into chunks, whose filled pieces become parts of the body. */
final class Gatherer {
    static final int CHUNK_BYTES = 256 << 10;

    private final ByteBufAllocator allocator;
    private @Nullable ByteBuf chunk;
    private int cutTo;

    Gatherer(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    /** Takes over the payload's reference, even when it throws. */
    void add(ByteBuf payload, List<ByteBuf> parts) {
        try {
            ByteBuf room = chunk;
            if (room == null || room.maxFastWritableBytes() < payload.readableBytes()) {
                finish(parts);
                room = allocator.directBuffer(CHUNK_BYTES, CHUNK_BYTES);
                chunk = room;
                cutTo = 0;
            }
            room.writeBytes(payload);
        } finally {
            payload.release();
        }
    }

    /** What was gathered since the last cut becomes a part; the rest of the chunk is used later. */
    void cut(List<ByteBuf> parts) {
        ByteBuf filled = chunk;
        if (filled != null && filled.writerIndex() > cutTo) {
            parts.add(filled.retainedSlice(cutTo, filled.writerIndex() - cutTo));
            cutTo = filled.writerIndex();
        }
    }

    /** Cuts and lets go of the chunk. */
    void finish(List<ByteBuf> parts) {
        cut(parts);
        if (chunk != null) {
            chunk.release();
            chunk = null;
        }
    }
}
