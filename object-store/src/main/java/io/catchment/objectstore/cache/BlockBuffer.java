package io.catchment.objectstore.cache;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledDirectByteBuf;
import io.netty.util.IllegalReferenceCountException;
import java.util.function.IntConsumer;

/**
 * One verified block. Thread-safe by its reference count: the cache holds one reference while the block is in it, and every slice handed
 * to a reader holds one, so an eviction never frees what a reader still has. Wraps the memory of another buffer and tells when it is free.
 */
final class BlockBuffer extends UnpooledDirectByteBuf {
    private final ByteBuf memory;
    private final IntConsumer freed;
    private final int length;

    /** Takes over one reference of {@code memory}: direct, in one piece, all of it readable. */
    BlockBuffer(ByteBuf memory, IntConsumer freed) {
        super(memory.alloc(), memory.nioBuffer(), memory.readableBytes());
        this.memory = memory;
        this.freed = freed;
        this.length = memory.readableBytes();
    }

    /** One more reference, unless the block was freed already. */
    boolean tryRetain() {
        try {
            retain();
            return true;
        } catch (IllegalReferenceCountException alreadyFreed) {
            return false;
        }
    }

    int length() {
        return length;
    }

    @Override
    protected void deallocate() {
        super.deallocate();
        memory.release();
        freed.accept(length);
    }
}
