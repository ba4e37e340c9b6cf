package io.catchment.wal.format;

import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import java.nio.ByteBuffer;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/**
 * A frame on disk: a header of 56 bytes, the payload, zeros up to the next multiple of 8. Big-endian; the README has the
 * table. The header names its extent, so that what a recycled file still holds of an older extent never passes for ours.
 */
public final class FrameFormat {
    public static final int HEADER_BYTES = Frame.HEADER_BYTES;
    public static final int ALIGNMENT = 8;

    /** Longer payloads are refused: a frame, its extent and a buffer for it must stay addressable with an int. */
    public static final int PAYLOAD_BYTES_MAX = 512 << 20;

    static final short MAGIC = (short) 0xCF52;
    static final byte VERSION = 1;

    private static final int CRC_AT = 0;
    private static final int MAGIC_AT = 4;
    private static final int VERSION_AT = 6;
    private static final int KIND_AT = 7;
    private static final int PAYLOAD_LENGTH_AT = 8;
    private static final int GROUP_DISTANCE_AT = 12;
    private static final int EXTENT_AT = 16;
    private static final int STREAM_AT = 24;
    private static final int BASE_OFFSET_AT = 32;
    private static final int APPEND_TIME_AT = 40;
    private static final int EPOCH_AT = 48;
    private static final int RECORD_COUNT_AT = 52;

    private static final FrameKind[] KINDS = FrameKind.values();

    private FrameFormat() {}

    /** Bytes that a frame with this payload takes in the extent, padding included. */
    public static long frameBytes(int payloadBytes) {
        return align((long) HEADER_BYTES + payloadBytes);
    }

    public static long align(long position) {
        return (position + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /** Writes all of a header but its CRC at the buffer's absolute index. */
    public static void putHeader(
            ByteBuffer into,
            int at,
            FrameKind kind,
            int payloadLength,
            int groupDistance,
            long extentId,
            long streamId,
            long baseOffset,
            long appendTimeMs,
            int epoch,
            int recordCount) {
        into.putInt(at + CRC_AT, 0);
        into.putShort(at + MAGIC_AT, MAGIC);
        into.put(at + VERSION_AT, VERSION);
        into.put(at + KIND_AT, (byte) kind.id());
        into.putInt(at + PAYLOAD_LENGTH_AT, payloadLength);
        into.putInt(at + GROUP_DISTANCE_AT, groupDistance);
        into.putLong(at + EXTENT_AT, extentId);
        into.putLong(at + STREAM_AT, streamId);
        into.putLong(at + BASE_OFFSET_AT, baseOffset);
        into.putLong(at + APPEND_TIME_AT, appendTimeMs);
        into.putInt(at + EPOCH_AT, epoch);
        into.putInt(at + RECORD_COUNT_AT, recordCount);
    }

    public static void putCrc(ByteBuffer into, int at, int crc) {
        into.putInt(at + CRC_AT, crc);
    }

    /** Adds a header's checksummed part (all but the CRC itself); the payload follows it. Moves the buffer's bounds. */
    public static void updateWithHeader(Checksum checksum, ByteBuffer bytes, int at) {
        bytes.limit(at + HEADER_BYTES).position(at + MAGIC_AT);
        checksum.update(bytes);
    }

    /** Adds header and payload that lie together. Moves the buffer's bounds. */
    public static void updateWithFrame(Checksum checksum, ByteBuffer bytes, int at, int payloadLength) {
        bytes.limit(at + HEADER_BYTES + payloadLength).position(at + MAGIC_AT);
        checksum.update(bytes);
    }

    /** The header at an absolute index, if it can be one of this extent's at all; its CRC is not looked at. */
    public static @Nullable FrameHeader header(ByteBuffer bytes, int at, long extentId, long position) {
        if (bytes.getShort(at + MAGIC_AT) != MAGIC
                || bytes.getLong(at + EXTENT_AT) != extentId
                || bytes.get(at + VERSION_AT) != VERSION) {
            return null;
        }
        int kind = bytes.get(at + KIND_AT);
        int payloadLength = bytes.getInt(at + PAYLOAD_LENGTH_AT);
        int groupDistance = bytes.getInt(at + GROUP_DISTANCE_AT);
        int recordCount = bytes.getInt(at + RECORD_COUNT_AT);
        if (kind < 0
                || kind >= KINDS.length
                || payloadLength < 0
                || payloadLength > PAYLOAD_BYTES_MAX
                || groupDistance < 0
                || position - groupDistance < ExtentHeader.BYTES
                || recordCount < 0) {
            return null;
        }
        return new FrameHeader(
                bytes.getInt(at + CRC_AT),
                KINDS[kind],
                payloadLength,
                position - groupDistance,
                bytes.getLong(at + STREAM_AT),
                bytes.getLong(at + BASE_OFFSET_AT),
                bytes.getLong(at + APPEND_TIME_AT),
                bytes.getInt(at + EPOCH_AT),
                recordCount);
    }
}
