package io.catchment.broker.compaction;

import java.security.DigestException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter.BatchRetention;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter.BatchRetentionResult;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.storage.internals.log.CleanedTransactionMetadata;
import org.apache.kafka.storage.internals.log.OffsetMap;

/**
 * Which records stay: Kafka's rules (KIP-354, KIP-534). Of a key the newest, and a tombstone until its delete horizon, which the first pass over
 * its batch sets; nothing of aborted transactions; a marker as long as there is something of its transaction, and then until its horizon; nothing
 * without a key. Fed with all batches from the stream's beginning to the
 * last known key, in order.
 */
final class Retained extends MemoryRecords.RecordFilter {
    private final OffsetMap keys;
    private final CleanedTransactionMetadata transactions;
    private boolean batchGoes;

    Retained(OffsetMap keys, CleanedTransactionMetadata transactions, long nowMs, long deleteRetentionMs) {
        super(nowMs, deleteRetentionMs);
        this.keys = keys;
        this.transactions = transactions;
    }

    /** What begins behind the known keys must not come here: it stays as it is, without a horizon for its tombstones. */
    boolean knows(long baseOffset) {
        return baseOffset <= keys.latestOffset();
    }

    @Override
    protected BatchRetentionResult checkBatchRetention(RecordBatch batch) {
        if (!batch.isControlBatch()) {
            batchGoes = transactions.onBatchRead(batch);
            return result(false);
        }
        boolean nothingOfItLeft = transactions.onControlBatchRead(batch);
        batchGoes = nothingOfItLeft
                && batch.deleteHorizonMs().isPresent()
                && batch.deleteHorizonMs().getAsLong() <= currentTime;
        return result(nothingOfItLeft);
    }

    private BatchRetentionResult result(boolean markerOfNothing) {
        return new BatchRetentionResult(
                batchGoes ? BatchRetention.DELETE : BatchRetention.DELETE_EMPTY, markerOfNothing);
    }

    @Override
    protected boolean shouldRetainRecord(RecordBatch batch, Record record) {
        if (batchGoes) {
            return false;
        }
        if (batch.isControlBatch() || record.offset() > keys.latestOffset()) {
            return true;
        }
        return record.hasKey() && isNewest(record) && (record.hasValue() || isTombstoneKept(batch));
    }

    private boolean isNewest(Record record) {
        try {
            return record.offset() >= keys.get(record.key());
        } catch (DigestException e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean isTombstoneKept(RecordBatch batch) {
        return batch.deleteHorizonMs().isEmpty()
                || currentTime < batch.deleteHorizonMs().getAsLong();
    }
}
