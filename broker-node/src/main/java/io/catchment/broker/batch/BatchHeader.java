package io.catchment.broker.batch;

import java.nio.ByteBuffer;

/**
 * Fields of a Kafka record batch header (message format v2, KIP-98), read and written in place at absolute positions. All
 * methods take the position of the batch's first byte; nothing is allocated.
 */
public final class BatchHeader {
    /** Bytes before the first record. */
    public static final int BYTES = 61;

    private static final int LENGTH = 8;
    private static final int LEADER_EPOCH = 12;
    private static final int MAGIC = 16;
    private static final int CRC = 17;
    private static final int ATTRIBUTES = 21;
    private static final int LAST_OFFSET_DELTA = 23;
    private static final int BASE_TIMESTAMP = 27;
    private static final int MAX_TIMESTAMP = 35;
    private static final int PRODUCER_ID = 43;
    private static final int PRODUCER_EPOCH = 51;
    private static final int BASE_SEQUENCE = 53;
    private static final int COUNT = 57;
    private static final int LOG_OVERHEAD = 12;

    private BatchHeader() {}

    public static long baseOffset(ByteBuffer buffer, int at) {
        return buffer.getLong(at);
    }

    public static void setBaseOffset(ByteBuffer buffer, int at, long offset) {
        buffer.putLong(at, offset);
    }

    /** Whole batch in bytes, header included. */
    public static int sizeInBytes(ByteBuffer buffer, int at) {
        return buffer.getInt(at + LENGTH) + LOG_OVERHEAD;
    }

    /** Not covered by the CRC. */
    public static void setLeaderEpoch(ByteBuffer buffer, int at, int epoch) {
        buffer.putInt(at + LEADER_EPOCH, epoch);
    }

    public static int leaderEpoch(ByteBuffer buffer, int at) {
        return buffer.getInt(at + LEADER_EPOCH);
    }

    public static byte magic(ByteBuffer buffer, int at) {
        return buffer.get(at + MAGIC);
    }

    public static int crc(ByteBuffer buffer, int at) {
        return buffer.getInt(at + CRC);
    }

    /** Where the bytes begin that the CRC covers: they end with the batch. */
    public static int crcStart(int at) {
        return at + ATTRIBUTES;
    }

    public static short attributes(ByteBuffer buffer, int at) {
        return buffer.getShort(at + ATTRIBUTES);
    }

    public static boolean isTransactional(ByteBuffer buffer, int at) {
        return (attributes(buffer, at) & 0x10) != 0;
    }

    public static boolean isControl(ByteBuffer buffer, int at) {
        return (attributes(buffer, at) & 0x20) != 0;
    }

    public static int lastOffsetDelta(ByteBuffer buffer, int at) {
        return buffer.getInt(at + LAST_OFFSET_DELTA);
    }

    public static long lastOffset(ByteBuffer buffer, int at) {
        return baseOffset(buffer, at) + lastOffsetDelta(buffer, at);
    }

    public static long baseTimestamp(ByteBuffer buffer, int at) {
        return buffer.getLong(at + BASE_TIMESTAMP);
    }

    public static long maxTimestamp(ByteBuffer buffer, int at) {
        return buffer.getLong(at + MAX_TIMESTAMP);
    }

    public static long producerId(ByteBuffer buffer, int at) {
        return buffer.getLong(at + PRODUCER_ID);
    }

    public static short producerEpoch(ByteBuffer buffer, int at) {
        return buffer.getShort(at + PRODUCER_EPOCH);
    }

    public static int baseSequence(ByteBuffer buffer, int at) {
        return buffer.getInt(at + BASE_SEQUENCE);
    }

    /** Sequence numbers wrap at 2^31 - 1 to 0. */
    public static int lastSequence(ByteBuffer buffer, int at) {
        int base = baseSequence(buffer, at);
        if (base < 0) {
            return base;
        }
        int delta = lastOffsetDelta(buffer, at);
        return base > Integer.MAX_VALUE - delta ? delta - (Integer.MAX_VALUE - base) - 1 : base + delta;
    }

    public static int count(ByteBuffer buffer, int at) {
        return buffer.getInt(at + COUNT);
    }
}
