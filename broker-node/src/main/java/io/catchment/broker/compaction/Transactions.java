package io.catchment.broker.compaction;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.AbortedTxn;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.storage.internals.log.CleanedTransactionMetadata;

/**
 * How the transactions of a dirty part ended, from its batch headers and markers. Owned by its pass. A record of an aborted transaction must not
 * count as the newest of its key, so this must be known before the keys are read; and what is still open at the end is not cleaned, with all
 * that follows.
 */
final class Transactions implements RangeReader.Taker {
    private final long endOffset;
    private final Map<Long, Long> openSince = new HashMap<>();
    private final List<AbortedTxn> aborted = new ArrayList<>();

    /** @param endOffset of the dirty part */
    Transactions(long endOffset) {
        this.endOffset = endOffset;
    }

    /** Of a part without any. */
    static Transactions none(long endOffset) {
        return new Transactions(endOffset);
    }

    @Override
    public boolean take(ByteBuffer batches) {
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(batches).batches()) {
            if (batch.baseOffset() >= endOffset) {
                return false;
            }
            if (batch.isControlBatch()) {
                ended(batch);
            } else if (batch.isTransactional()) {
                openSince.putIfAbsent(batch.producerId(), batch.baseOffset());
            }
        }
        return true;
    }

    private void ended(MutableRecordBatch marker) {
        var records = marker.iterator();
        if (!records.hasNext()) {
            return;
        }
        Record record = records.next();
        ControlRecordType type = ControlRecordType.parse(record.key());
        if (type != ControlRecordType.ABORT && type != ControlRecordType.COMMIT) {
            return;
        }
        Long since = openSince.remove(marker.producerId());
        if (since != null && type == ControlRecordType.ABORT) {
            aborted.add(new AbortedTxn()
                    .setProducerId(marker.producerId())
                    .setFirstOffset(since)
                    .setLastOffset(marker.lastOffset())
                    .setLastStableOffset(marker.lastOffset() + 1));
        }
    }

    /** Below it all transactions have ended. */
    long stableEnd() {
        return openSince.values().stream().mapToLong(Long::longValue).min().orElse(endOffset);
    }

    /** Kafka's memory of what it has seen of transactions while it reads a log from some offset on; a fresh one. */
    CleanedTransactionMetadata metadata() {
        CleanedTransactionMetadata metadata = new CleanedTransactionMetadata();
        metadata.setCleanedIndex(java.util.Optional.empty());
        metadata.addAbortedTransactions(aborted);
        return metadata;
    }
}
