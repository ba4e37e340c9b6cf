package io.catchment.wal.format;

import io.catchment.wal.FrameKind;
import java.util.Arrays;

/** Index rows of consecutive frames with their streams, growing and reusable. Owned by whoever fills it. */
public final class FrameRows {
    private byte[] rows = new byte[64 * IndexRow.BYTES];
    private long[] streams = new long[64];
    private int count;

    /** Adds a row and answers the index in {@link #bytes} where the payload's first bytes belong. NOOP frames get no row. */
    public int add(
            FrameKind kind,
            long streamId,
            long baseOffset,
            long appendTimeMs,
            long position,
            int payloadLength,
            int recordCount,
            int epoch) {
        if (count == streams.length) {
            streams = Arrays.copyOf(streams, count * 2);
            rows = Arrays.copyOf(rows, rows.length * 2);
        }
        int at = count * IndexRow.BYTES;
        IndexRow.put(rows, at, kind, baseOffset, appendTimeMs, position, payloadLength, recordCount, epoch);
        streams[count++] = streamId;
        return at + IndexRow.HEAD_AT;
    }

    public void clear() {
        count = 0;
    }

    public int count() {
        return count;
    }

    public byte[] bytes() {
        return rows;
    }

    /** Where row i begins in {@link #bytes}. */
    public int at(int i) {
        return i * IndexRow.BYTES;
    }

    public long stream(int i) {
        return streams[i];
    }
}
