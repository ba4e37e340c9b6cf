package io.catchment.wal.store;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Buffers for whole extents. One of the usual size is kept and used again: memory that is new to the process costs more CPU, page by page,
 * than reading and checking an extent. Thread-safe.
 */
final class LoadBuffers {
    private final ByteBufAllocator allocator;
    private final int usualBytes;
    private @Nullable ByteBuf kept;
    private boolean closed;

    /** @param usualBytes what an extent's file normally holds; larger extents get a buffer that is not kept */
    LoadBuffers(ByteBufAllocator allocator, long usualBytes) {
        this.allocator = allocator;
        this.usualBytes = (int) Math.min(usualBytes, Integer.MAX_VALUE);
    }

    /** An empty buffer for so many bytes; the caller releases it, and slices of it may live on longer. */
    synchronized ByteBuf take(int bytes) {
        if (closed || bytes > usualBytes) {
            return allocator.directBuffer(bytes, bytes);
        }
        ByteBuf mine = kept;
        if (mine == null) {
            mine = allocator.directBuffer(usualBytes, usualBytes);
            kept = mine;
        } else if (mine.refCnt() > 1) {
            return allocator.directBuffer(bytes, bytes);
        }
        return mine.clear().retain();
    }

    /** Keeps nothing any more. */
    synchronized void close() {
        closed = true;
        if (kept != null) {
            kept.release();
            kept = null;
        }
    }
}
