package io.catchment.wal.format;

import io.catchment.wal.FrameKind;

/**
 * A frame's header as read back.
 *
 * @param groupStart position in the extent where the write began that this frame was part of: everything before it was
 *     durable before this frame was written
 */
public record FrameHeader(
        int crc,
        FrameKind kind,
        int payloadLength,
        long groupStart,
        long streamId,
        long baseOffset,
        long appendTimeMs,
        int epoch,
        int recordCount) {

    public long frameBytes() {
        return FrameFormat.frameBytes(payloadLength);
    }
}
