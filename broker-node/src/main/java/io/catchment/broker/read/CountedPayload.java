package io.catchment.broker.read;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;

/** A read's payload that gives its bytes back to the budget when the last reference is released. Shares the bytes, copies none. */
final class CountedPayload extends CompositeByteBuf {
    private final ReadBudget budget;
    private final int bytes;

    /** Takes over one reference of {@code payload} and {@code bytes} of the budget. */
    CountedPayload(ByteBuf payload, ReadBudget budget, int bytes) {
        super(UnpooledByteBufAllocator.DEFAULT, true, Integer.MAX_VALUE);
        this.budget = budget;
        this.bytes = bytes;
        addFlattenedComponents(true, payload);
    }

    @Override
    protected void deallocate() {
        super.deallocate();
        budget.release(bytes);
    }
}
