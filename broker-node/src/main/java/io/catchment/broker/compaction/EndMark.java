package io.catchment.broker.compaction;

import io.catchment.broker.batch.BatchHeader;
import java.nio.ByteBuffer;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * A batch without records and without a producer that holds a range's last offset, written where the last batches of a compacted range are gone
 * (Kafka keeps an empty batch there too). So a range is never empty and its last batch ends where it ends: whoever looks for a missing offset
 * finds a batch behind it in the same range.
 */
final class EndMark {
    static final int BYTES = BatchHeader.BYTES;

    private EndMark() {}

    static void write(ByteBuffer out, long offset, int leaderEpoch) {
        DefaultRecordBatch.writeEmptyHeader(
                out,
                RecordBatch.MAGIC_VALUE_V2,
                RecordBatch.NO_PRODUCER_ID,
                RecordBatch.NO_PRODUCER_EPOCH,
                RecordBatch.NO_SEQUENCE,
                offset,
                offset,
                leaderEpoch,
                TimestampType.CREATE_TIME,
                RecordBatch.NO_TIMESTAMP,
                false,
                false);
    }

    /** Whether the batch at this position is one. */
    static boolean isAt(ByteBuffer batches, int at) {
        return BatchHeader.sizeInBytes(batches, at) == BYTES
                && BatchHeader.count(batches, at) == 0
                && BatchHeader.producerId(batches, at) == RecordBatch.NO_PRODUCER_ID;
    }
}
