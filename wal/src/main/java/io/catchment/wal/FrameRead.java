package io.catchment.wal;

import io.netty.buffer.ByteBuf;

/**
 * Consecutive DATA payloads of one stream.
 *
 * @param baseOffset of the first frame
 * @param endOffset after the last frame
 * @param payload released by whoever received this
 */
public record FrameRead(long baseOffset, long endOffset, ByteBuf payload) {}
