package io.catchment.wal;

/**
 * Where a frame lies in its extent (an index entry, DESIGN §5 "Index").
 *
 * @param position of the frame's first header byte in the extent
 * @param payloadPosition of the payload's first byte in the extent
 * @param payloadLength bytes
 * @param head the first (up to) 61 payload bytes: for DATA the Kafka batch header of the frame's first batch
 */
public record FrameEntry(
        FrameKind kind,
        long streamId,
        int epoch,
        long baseOffset,
        int recordCount,
        long appendTimeMs,
        long position,
        long payloadPosition,
        int payloadLength,
        byte[] head) {

    public long endOffset() {
        return baseOffset + recordCount;
    }
}
