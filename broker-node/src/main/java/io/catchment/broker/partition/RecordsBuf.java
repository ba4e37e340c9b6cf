package io.catchment.broker.partition;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledDirectByteBuf;
import io.netty.util.ReferenceCounted;
import java.nio.ByteBuffer;

/**
 * A buffer over record bytes that lie in another, reference-counted buffer (a network request): no copy. It holds one
 * reference of that buffer and gives it back with its own last one.
 */
final class RecordsBuf extends UnpooledDirectByteBuf {
    private final ReferenceCounted owner;

    /** Retains the owner. The records are those from the view's position to its limit; it must be direct. */
    RecordsBuf(ByteBuffer records, ReferenceCounted owner) {
        super(UnpooledByteBufAllocator.DEFAULT, records, records.remaining());
        this.owner = owner;
        owner.retain();
    }

    @Override
    protected void deallocate() {
        super.deallocate();
        owner.release();
    }
}
