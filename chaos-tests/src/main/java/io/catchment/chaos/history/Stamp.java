package io.catchment.chaos.history;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * What each test record carries in a header: which one it is, the checksum its value had when it was sent, and when that was.
 *
 * @param producer which of the producers of one history sent it
 * @param sequence 0, 1, 2 … per producer, in the order of its sends
 * @param crc CRC32C of the value
 * @param sentNanos {@link System#nanoTime} at the send; means something in the sending process only
 */
public record Stamp(int producer, long sequence, int crc, long sentNanos) {
    public static final String HEADER = "chaos";
    private static final int BYTES = Integer.BYTES + Long.BYTES + Integer.BYTES + Long.BYTES;

    public static Stamp of(int producer, long sequence, byte[] value) {
        return new Stamp(producer, sequence, crc(value), System.nanoTime());
    }

    public static int crc(byte[] value) {
        var crc = new CRC32C();
        crc.update(value);
        return (int) crc.getValue();
    }

    public void writeTo(Headers headers) {
        headers.add(
                HEADER,
                ByteBuffer.allocate(BYTES)
                        .putInt(producer)
                        .putLong(sequence)
                        .putInt(crc)
                        .putLong(sentNanos)
                        .array());
    }

    /** Null when there is none, or not one of ours. */
    public static @Nullable Stamp readFrom(Headers headers) {
        Header header = headers.lastHeader(HEADER);
        if (header == null || header.value() == null || header.value().length != BYTES) {
            return null;
        }
        var bytes = ByteBuffer.wrap(header.value());
        return new Stamp(bytes.getInt(), bytes.getLong(), bytes.getInt(), bytes.getLong());
    }
}
