package io.catchment.broker.batch;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;
import org.apache.kafka.common.utils.internals.PrimitiveRef;
import org.apache.kafka.server.record.BrokerCompressionType;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogValidator;
import org.apache.kafka.storage.internals.log.RecordValidationException;
import org.jspecify.annotations.Nullable;

/**
 * Kafka's own validation, for batches that are not plain: compressed, log append time, compacted topics, and everything that
 * is wrong. May rewrite the batch (recompression, append time). Garbage per record, so not for the usual case. Not
 * thread-safe: one for each event loop.
 */
public final class LogValidatorCheck {
    private static final LogValidator.MetricsRecorder NO_METRICS = new NoMetrics();

    private static final long RECOMPRESSED_BYTES_MAX = 64 << 20;

    private final BufferSupplier buffers = BufferSupplier.create();
    private final Time time;

    public LogValidatorCheck(Time time) {
        this.time = time;
    }

    /**
     * What the topic asks of its batches.
     *
     * @param batchBytesMax of a batch as it is stored (max.message.bytes)
     * @param recordBytesMax of one record, decompressed (max.decompressed.message.bytes)
     * @param compression null: as the producer sent it
     */
    public record Rules(
            int batchBytesMax,
            int recordBytesMax,
            @Nullable Compression compression,
            boolean compacted,
            TimestampType timestampType,
            long timestampBeforeMaxMs,
            long timestampAfterMaxMs) {}

    /** @param logAppendTimeMs -1 unless the topic stamps batches on arrival */
    public record Checked(MemoryRecords records, long logAppendTimeMs) {}

    /**
     * Offsets are given out from {@code baseOffset}; throws Kafka's ApiExceptions or RecordValidationException, and an
     * InvalidRecordException for what Kafka's classes stumble over: an unknown compression, or bytes that are not what it says.
     */
    public Checked check(
            TopicPartition partition,
            ByteBuffer batch,
            long baseOffset,
            int leaderEpoch,
            Rules rules,
            AppendOrigin origin) {
        try {
            return validate(partition, batch, baseOffset, leaderEpoch, rules, origin);
        } catch (ApiException | RecordValidationException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new InvalidRecordException("The records in the append to " + partition + " cannot be read: " + e, e);
        }
    }

    private Checked validate(
            TopicPartition partition,
            ByteBuffer batch,
            long baseOffset,
            int leaderEpoch,
            Rules rules,
            AppendOrigin origin) {
        MemoryRecords records = MemoryRecords.readableRecords(batch);
        CompressionType source = envelope(partition, records, origin);
        Compression target = BrokerCompressionType.targetCompression(Optional.ofNullable(rules.compression()), source);
        if (source != CompressionType.NONE && source != target.type()) {
            boundPlainBytes(partition, records, target.type(), rules);
        }
        LogValidator.ValidationResult result = new LogValidator(
                        records,
                        partition,
                        time,
                        source,
                        target,
                        rules.compacted(),
                        RecordBatch.MAGIC_VALUE_V2,
                        rules.timestampType(),
                        rules.timestampBeforeMaxMs(),
                        rules.timestampAfterMaxMs(),
                        leaderEpoch,
                        origin,
                        rules.recordBytesMax())
                .validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(baseOffset), NO_METRICS, buffers);
        int stored = result.validatedRecords().sizeInBytes();
        if (stored > rules.batchBytesMax()) {
            throw tooLarge(partition, "is " + stored + " bytes as the topic stores it", rules.batchBytesMax());
        }
        boolean stamps = rules.timestampType() == TimestampType.LOG_APPEND_TIME;
        return new Checked(result.validatedRecords(), stamps ? result.logAppendTimeMs() : RecordBatch.NO_TIMESTAMP);
    }

    /** Kafka's validator has all records in memory when it compresses them anew: little may become too much for that. */
    private void boundPlainBytes(TopicPartition partition, MemoryRecords records, CompressionType target, Rules rules) {
        long bytesMax = target == CompressionType.NONE
                ? rules.batchBytesMax()
                : Math.max(RECOMPRESSED_BYTES_MAX, rules.batchBytesMax());
        long bytes = 0;
        for (MutableRecordBatch batch : records.batches()) {
            if (!(batch instanceof DefaultRecordBatch current)) {
                continue;
            }
            try (CloseableIterator<Record> each = current.skipKeyValueIterator(buffers)) {
                while (each.hasNext()) {
                    bytes += each.next().sizeInBytes();
                    if (bytes > bytesMax) {
                        throw tooLarge(partition, "has more than " + bytesMax + " bytes of records", bytesMax);
                    }
                }
            }
        }
    }

    private static RecordTooLargeException tooLarge(TopicPartition partition, String what, long bytesMax) {
        return new RecordTooLargeException("The record batch in the append to " + partition + " " + what
                + ", which exceeds the maximum value of " + bytesMax + ".");
    }

    /** What Kafka checks before its LogValidator; the latter cannot take a compressed batch with a client's base offset. */
    private static CompressionType envelope(TopicPartition partition, MemoryRecords records, AppendOrigin origin) {
        CompressionType source = CompressionType.NONE;
        int batches = 0;
        for (MutableRecordBatch batch : records.batches()) {
            batches++;
            if (origin == AppendOrigin.CLIENT && batch.baseOffset() != 0) {
                throw new InvalidRecordException("The baseOffset of the record batch in the append to " + partition
                        + " should be 0, but it is " + batch.baseOffset());
            }
            if (!batch.isValid()) {
                throw new CorruptRecordException("Record is corrupt (stored crc = " + batch.checksum()
                        + ") in topic partition " + partition + ".");
            }
            source = batch.compressionType();
        }
        if (batches == 0) {
            throw new InvalidRecordException("No whole record batch in the append to " + partition);
        }
        return source;
    }

    private static final class NoMetrics implements LogValidator.MetricsRecorder {
        @Override
        public void recordInvalidMagic() {}

        @Override
        public void recordInvalidOffset() {}

        @Override
        public void recordInvalidSequence() {}

        @Override
        public void recordInvalidChecksums() {}

        @Override
        public void recordNoKeyCompactedTopic() {}
    }
}
