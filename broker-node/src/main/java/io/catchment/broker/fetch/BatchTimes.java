package io.catchment.broker.fetch;

import io.catchment.broker.batch.BatchHeader;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.function.LongPredicate;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;

/** Looks for times in whole record batches: batch headers first, records only of the batch that decides. Pure functions. */
final class BatchTimes {
    private static final int LENGTH_AT = 8;
    private static final int LOG_OVERHEAD = 12;
    private static final int LAST_OFFSET_DELTA_AT = 23;
    private static final int MAX_TIMESTAMP_AT = 35;

    private BatchTimes() {}

    /** The first record in offset order from {@code fromOffset} on whose timestamp is at or after {@code timeMs}; NONE if there is none. */
    static TimedOffset firstAtOrAfter(ByteBuf batches, long fromOffset, long timeMs) {
        int at = batches.readerIndex();
        while (at < batches.writerIndex()) {
            int size = size(batches, at);
            if (endOffset(batches, at) > fromOffset && batches.getLong(at + MAX_TIMESTAMP_AT) >= timeMs) {
                TimedOffset found = firstRecord(batches.nioBuffer(at, size), fromOffset, time -> time >= timeMs);
                if (found.found()) {
                    return found;
                }
            }
            at += size;
        }
        return TimedOffset.NONE;
    }

    /** The record from {@code fromOffset} on with the largest timestamp, the first of them; better than {@code best} or {@code best} itself. */
    static TimedOffset latest(ByteBuf batches, long fromOffset, TimedOffset best) {
        TimedOffset latest = best;
        int at = batches.readerIndex();
        while (at < batches.writerIndex()) {
            int size = size(batches, at);
            if (endOffset(batches, at) > fromOffset
                    && (!latest.found() || batches.getLong(at + MAX_TIMESTAMP_AT) > latest.timestampMs())) {
                latest = latestRecord(batches.nioBuffer(at, size), fromOffset, latest);
            }
            at += size;
        }
        return latest;
    }

    /** Whether a frame's payload is one batch, so that its header speaks for all of it. */
    static boolean isOneBatch(byte[] head, int payloadLength) {
        return head.length >= BatchHeader.BYTES && BatchHeader.sizeInBytes(ByteBuffer.wrap(head), 0) == payloadLength;
    }

    static long maxTimestamp(byte[] head) {
        return BatchHeader.maxTimestamp(ByteBuffer.wrap(head), 0);
    }

    private static int size(ByteBuf batches, int at) {
        return batches.getInt(at + LENGTH_AT) + LOG_OVERHEAD;
    }

    private static long endOffset(ByteBuf batches, int at) {
        return batches.getLong(at) + batches.getInt(at + LAST_OFFSET_DELTA_AT) + 1;
    }

    private static TimedOffset firstRecord(ByteBuffer bytes, long fromOffset, LongPredicate wanted) {
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(bytes).batches()) {
            try (CloseableIterator<Record> records = batch.streamingIterator(BufferSupplier.NO_CACHING)) {
                while (records.hasNext()) {
                    Record record = records.next();
                    if (record.offset() >= fromOffset && wanted.test(record.timestamp())) {
                        return new TimedOffset(record.timestamp(), record.offset(), batch.partitionLeaderEpoch());
                    }
                }
            }
        }
        return TimedOffset.NONE;
    }

    private static TimedOffset latestRecord(ByteBuffer bytes, long fromOffset, TimedOffset best) {
        TimedOffset latest = best;
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(bytes).batches()) {
            try (CloseableIterator<Record> records = batch.streamingIterator(BufferSupplier.NO_CACHING)) {
                while (records.hasNext()) {
                    Record record = records.next();
                    boolean later = !latest.found() || record.timestamp() > latest.timestampMs();
                    if (record.offset() >= fromOffset && later) {
                        latest = new TimedOffset(record.timestamp(), record.offset(), batch.partitionLeaderEpoch());
                    }
                }
            }
        }
        return latest;
    }
}
