package io.catchment.wal.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import org.junit.jupiter.api.Test;

class LoadBuffersTest {
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    private final LoadBuffers buffers = new LoadBuffers(allocator, 1000);

    @Test
    void aBufferIsUsedAgainOnceNobodyReadsItAnyMore() {
        ByteBuf first = buffers.take(900).writeZero(900);
        long address = first.memoryAddress();
        ByteBuf slice = first.retainedSlice(10, 20);
        first.release();
        ByteBuf second = buffers.take(1000);
        assertThat(second.memoryAddress()).as("the slice is still read").isNotEqualTo(address);
        second.release();
        slice.release();
        ByteBuf third = buffers.take(5);
        assertThat(third.memoryAddress()).isEqualTo(address);
        assertThat(third.readableBytes()).isZero();
        third.release();
        buffers.close();
        assertThat(allocator.metric().usedDirectMemory()).isZero();
    }

    @Test
    void largerThanUsualIsNotKept() {
        buffers.take(1001).writeZero(1001).release();
        assertThat(allocator.metric().usedDirectMemory()).isZero();
    }

    @Test
    void whatIsReadWhileItClosesLivesOn() {
        ByteBuf held = buffers.take(3).writeMedium(7);
        buffers.close();
        assertThat(held.readMedium()).isEqualTo(7);
        held.release();
        buffers.take(3).release();
        assertThat(allocator.metric().usedDirectMemory()).isZero();
    }
}
