package io.catchment.broker.testing;

import io.catchment.broker.batch.BatchHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Record batches as they lie in a log. */
public final class TestBatches {
    private TestBatches() {}

    /** One batch with a record for each timestamp and values of the given size. */
    public static byte[] batch(
            long baseOffset, int leaderEpoch, Compression compression, int valueBytes, long... timestamps) {
        SimpleRecord[] records = new SimpleRecord[timestamps.length];
        for (int i = 0; i < timestamps.length; i++) {
            byte[] value = new byte[valueBytes];
            new Random(baseOffset * 31 + i).nextBytes(value);
            records[i] = new SimpleRecord(
                    timestamps[i],
                    ("key-" + (baseOffset + i)).getBytes(java.nio.charset.StandardCharsets.UTF_8),
                    value);
        }
        ByteBuffer bytes = MemoryRecords.withRecords(baseOffset, compression, leaderEpoch, records)
                .buffer();
        byte[] batch = new byte[bytes.remaining()];
        bytes.get(batch);
        return batch;
    }

    /** One plain batch of {@code count} records of about {@code valueBytes}, timestamps equal to offsets. */
    public static byte[] batch(long baseOffset, int count, int valueBytes) {
        long[] timestamps = new long[count];
        for (int i = 0; i < count; i++) {
            timestamps[i] = baseOffset + i;
        }
        return batch(baseOffset, 0, Compression.NONE, valueBytes, timestamps);
    }

    public static long baseOffset(byte[] batch) {
        return BatchHeader.baseOffset(ByteBuffer.wrap(batch), 0);
    }

    public static long endOffset(byte[] batch) {
        return BatchHeader.lastOffset(ByteBuffer.wrap(batch), 0) + 1;
    }

    public static long maxTimestamp(byte[] batch) {
        return BatchHeader.maxTimestamp(ByteBuffer.wrap(batch), 0);
    }

    /** A direct copy with one reference. */
    public static ByteBuf buffer(byte[]... parts) {
        int bytes = 0;
        for (byte[] part : parts) {
            bytes += part.length;
        }
        ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(Math.max(1, bytes));
        for (byte[] part : parts) {
            buffer.writeBytes(part);
        }
        return buffer;
    }

    public static byte[] bytes(ByteBuf buffer) {
        byte[] bytes = new byte[buffer.readableBytes()];
        buffer.getBytes(buffer.readerIndex(), bytes);
        return bytes;
    }
}
