package io.catchment.broker.read;

import io.netty.buffer.ByteBuf;

/**
 * Consecutive whole record batches.
 *
 * @param baseOffset of the first batch
 * @param endOffset after the last batch
 * @param payload one reference, for the receiver to release
 */
public record BatchRun(long baseOffset, long endOffset, ByteBuf payload) {
    public boolean isEmpty() {
        return endOffset == baseOffset;
    }
}
