package io.catchment.wal;

import io.netty.buffer.ByteBuf;

/**
 * One entry of an extent, before it is written. The payload's reader index to writer index is what is written; its bytes
 * must not change until the frame is acknowledged. Whoever passes a frame to {@link Wal#append} passes one reference of
 * the payload with it: the WAL releases that reference after the acknowledgement callback returned, or never was due.
 *
 * @param recordCount offsets taken by this frame: the next frame of the stream has base offset {@code baseOffset + recordCount}
 * @param appendTimeMs wall clock of the owner when it accepted the records, ms since the Unix epoch
 */
public record Frame(
        FrameKind kind,
        long streamId,
        int epoch,
        long baseOffset,
        int recordCount,
        long appendTimeMs,
        ByteBuf payload) {

    /** What lies before the payload in an extent. */
    public static final int HEADER_BYTES = 56;

    public Frame {
        if (recordCount < 0 || baseOffset < 0) {
            throw new IllegalArgumentException("frame of stream " + streamId + ": base offset " + baseOffset
                    + " and record count " + recordCount + " must not be negative");
        }
    }

    public long endOffset() {
        return baseOffset + recordCount;
    }
}
