package io.catchment.wal.format;

import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * What the index keeps of one frame: 96 bytes, the same in memory and in the footer. Rows live in byte arrays, so that an
 * extent with a hundred thousand small frames is a few arrays and not a hundred thousand objects.
 */
public final class IndexRow {
    public static final int BYTES = 96;

    /** How much of a payload the index keeps: a Kafka record batch header. */
    public static final int HEAD_BYTES_MAX = 61;

    /** Where a row's copy of the payload's first bytes begins. */
    public static final int HEAD_AT = 35;

    private static final int BASE_OFFSET_AT = 0;
    private static final int APPEND_TIME_AT = 8;
    private static final int POSITION_AT = 16;
    private static final int PAYLOAD_LENGTH_AT = 20;
    private static final int RECORD_COUNT_AT = 24;
    private static final int EPOCH_AT = 28;
    private static final int KIND_AT = 32;
    private static final int HEAD_LENGTH_AT = 33;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final FrameKind[] KINDS = FrameKind.values();

    private IndexRow() {}

    /** Writes all of a row but the head's bytes, which the caller copies to {@link #HEAD_AT}. */
    public static void put(
            byte[] rows,
            int at,
            FrameKind kind,
            long baseOffset,
            long appendTimeMs,
            long position,
            int payloadLength,
            int recordCount,
            int epoch) {
        LONG.set(rows, at + BASE_OFFSET_AT, baseOffset);
        LONG.set(rows, at + APPEND_TIME_AT, appendTimeMs);
        INT.set(rows, at + POSITION_AT, Math.toIntExact(position));
        INT.set(rows, at + PAYLOAD_LENGTH_AT, payloadLength);
        INT.set(rows, at + RECORD_COUNT_AT, recordCount);
        INT.set(rows, at + EPOCH_AT, epoch);
        rows[at + KIND_AT] = (byte) kind.id();
        int headLength = Math.min(payloadLength, HEAD_BYTES_MAX);
        rows[at + HEAD_LENGTH_AT] = (byte) headLength;
        rows[at + HEAD_LENGTH_AT + 1] = 0;
        // Reused arrays hold older rows; the footer's bytes must depend on this frame alone.
        Arrays.fill(rows, at + HEAD_AT + headLength, at + BYTES, (byte) 0);
    }

    public static long baseOffset(byte[] rows, int at) {
        return (long) LONG.get(rows, at + BASE_OFFSET_AT);
    }

    public static long endOffset(byte[] rows, int at) {
        return baseOffset(rows, at) + recordCount(rows, at);
    }

    public static int recordCount(byte[] rows, int at) {
        return (int) INT.get(rows, at + RECORD_COUNT_AT);
    }

    public static long position(byte[] rows, int at) {
        return (int) INT.get(rows, at + POSITION_AT);
    }

    public static int payloadLength(byte[] rows, int at) {
        return (int) INT.get(rows, at + PAYLOAD_LENGTH_AT);
    }

    public static FrameKind kind(byte[] rows, int at) {
        return KINDS[rows[at + KIND_AT]];
    }

    public static boolean isData(byte[] rows, int at) {
        return rows[at + KIND_AT] == 0;
    }

    /** Whether a row that came from elsewhere can be one at all. */
    public static boolean sane(byte[] rows, int at) {
        int headLength = rows[at + HEAD_LENGTH_AT];
        int kind = rows[at + KIND_AT];
        return kind >= 0
                && kind < KINDS.length
                && headLength >= 0
                && headLength <= HEAD_BYTES_MAX
                && payloadLength(rows, at) >= headLength
                && position(rows, at) >= 0
                && recordCount(rows, at) >= 0
                && baseOffset(rows, at) >= 0;
    }

    public static FrameEntry entry(byte[] rows, int at, long streamId) {
        long position = position(rows, at);
        int headLength = rows[at + HEAD_LENGTH_AT];
        return new FrameEntry(
                kind(rows, at),
                streamId,
                (int) INT.get(rows, at + EPOCH_AT),
                baseOffset(rows, at),
                recordCount(rows, at),
                (long) LONG.get(rows, at + APPEND_TIME_AT),
                position,
                position + FrameFormat.HEADER_BYTES,
                payloadLength(rows, at),
                Arrays.copyOfRange(rows, at + HEAD_AT, at + HEAD_AT + headLength));
    }
}
