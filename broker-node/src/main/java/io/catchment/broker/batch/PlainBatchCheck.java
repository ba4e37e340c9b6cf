package io.catchment.broker.batch;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Kafka's rules for the usual batch (format v2, uncompressed, create time, from a client) checked in one pass over its bytes
 * without garbage: CRC, counts, offset deltas, record lengths, timestamps. It answers true only for what Kafka's LogValidator
 * would take unchanged; whatever else there is goes to {@link LogValidatorCheck}, which also words the error. Not
 * thread-safe: one for each event loop.
 */
public final class PlainBatchCheck {
    /** Compression, append time, markers: of all attributes a transaction alone is usual. */
    private static final int UNUSUAL = 0x2f;

    private static final int INT_BYTES_MAX = 5;

    private final CRC32C crc = new CRC32C();
    private int cursor;

    /** Whether the one batch in {@code [at, end)} can be taken as it is. */
    public boolean takesAsItIs(ByteBuffer buffer, int at, int end, long earliestMs, long latestMs) {
        if (end - at <= BatchHeader.BYTES || BatchHeader.sizeInBytes(buffer, at) != end - at) {
            return false;
        }
        int count = BatchHeader.count(buffer, at);
        if (BatchHeader.magic(buffer, at) != 2
                || (BatchHeader.attributes(buffer, at) & UNUSUAL) != 0
                || BatchHeader.baseOffset(buffer, at) != 0
                || count <= 0
                || BatchHeader.lastOffsetDelta(buffer, at) != count - 1) {
            return false;
        }
        boolean idempotent = BatchHeader.producerId(buffer, at) >= 0;
        if (BatchHeader.isTransactional(buffer, at) && !idempotent) {
            return false;
        }
        if (idempotent && (BatchHeader.baseSequence(buffer, at) < 0 || BatchHeader.producerEpoch(buffer, at) < 0)) {
            return false;
        }
        return crcHolds(buffer, at, end) && recordsHold(buffer, at, end, count, earliestMs, latestMs);
    }

    private boolean crcHolds(ByteBuffer buffer, int at, int end) {
        int position = buffer.position();
        int limit = buffer.limit();
        crc.reset();
        buffer.limit(end).position(BatchHeader.crcStart(at));
        crc.update(buffer);
        buffer.limit(limit).position(position);
        return (int) crc.getValue() == BatchHeader.crc(buffer, at);
    }

    private boolean recordsHold(ByteBuffer buffer, int at, int end, int count, long earliestMs, long latestMs) {
        long base = BatchHeader.baseTimestamp(buffer, at);
        long newest = Long.MIN_VALUE;
        int next = at + BatchHeader.BYTES;
        for (int i = 0; i < count; i++) {
            cursor = next;
            long length = varint(buffer, end);
            next = cursor + (int) length;
            if (length < 6 || length > end - cursor) {
                return false;
            }
            cursor++;
            long timestamp = base + varlong(buffer, next);
            if (varint(buffer, next) != i || timestamp < earliestMs || timestamp > latestMs) {
                return false;
            }
            if (!bodyFits(buffer, next)) {
                return false;
            }
            newest = Math.max(newest, timestamp);
        }
        return next == end && newest == BatchHeader.maxTimestamp(buffer, at);
    }

    /** Key, value and headers end where the record ends. A malformed length moves the cursor past every end. */
    private boolean bodyFits(ByteBuffer buffer, int end) {
        skip(varint(buffer, end), end);
        skip(varint(buffer, end), end);
        long headers = varint(buffer, end);
        if (headers < 0 || cursor > end) {
            return false;
        }
        for (long i = 0; i < headers; i++) {
            long keyLength = varint(buffer, end);
            if (keyLength < 0) {
                return false;
            }
            skip(keyLength, end);
            skip(varint(buffer, end), end);
        }
        return cursor == end;
    }

    private void skip(long length, int end) {
        if (length > 0) {
            cursor = length > (long) end - cursor ? Integer.MAX_VALUE : cursor + (int) length;
        }
    }

    /** Zigzag varint at the cursor; a truncated one, or one of more than 32 bits or five bytes, puts the cursor past every end: no client could read it. */
    private long varint(ByteBuffer buffer, int end) {
        int last = Math.min(end, cursor > Integer.MAX_VALUE - INT_BYTES_MAX ? end : cursor + INT_BYTES_MAX);
        long value = varlong(buffer, last);
        if (value != (int) value) {
            cursor = Integer.MAX_VALUE;
            return Long.MIN_VALUE;
        }
        return value;
    }

    /** The same of up to 64 bits. */
    private long varlong(ByteBuffer buffer, int end) {
        long value = 0;
        int shift = 0;
        while (cursor < end && shift < 64) {
            byte b = buffer.get(cursor++);
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return (value >>> 1) ^ -(value & 1);
            }
            shift += 7;
        }
        cursor = Integer.MAX_VALUE;
        return Long.MIN_VALUE;
    }
}
