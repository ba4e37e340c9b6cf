package io.catchment.broker.compaction;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** A record, or a marker, as one finds it in a log. */
record LoggedRecord(
        long offset, @Nullable String key, @Nullable String value, long timestampMs, long producerId, boolean marker) {

    static LoggedRecord of(RecordBatch batch, Record record) {
        return new LoggedRecord(
                record.offset(),
                batch.isControlBatch()
                        ? ControlRecordType.parse(record.key()).name()
                        : text(record.hasKey() ? record.key() : null),
                batch.isControlBatch() ? null : text(record.value()),
                record.timestamp(),
                batch.producerId(),
                batch.isControlBatch());
    }

    static List<LoggedRecord> of(byte[] batches) {
        List<LoggedRecord> records = new ArrayList<>();
        for (RecordBatch batch :
                MemoryRecords.readableRecords(ByteBuffer.wrap(batches)).batches()) {
            batch.ensureValid();
            for (Record record : batch) {
                records.add(of(batch, record));
            }
        }
        return records;
    }

    private static @Nullable String text(@Nullable ByteBuffer bytes) {
        return bytes == null ? null : new String(Utils.toArray(bytes), StandardCharsets.UTF_8);
    }
}
