package io.catchment.broker.compaction;

import java.nio.ByteBuffer;
import java.security.DigestException;
import java.security.NoSuchAlgorithmException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;
import org.apache.kafka.storage.internals.log.CleanedTransactionMetadata;
import org.apache.kafka.storage.internals.log.OffsetMap;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.jspecify.annotations.Nullable;

/** The newest offset of each key in the dirty part, as far as Kafka's map has room. Owned by its pass; fed in offset order. */
final class DirtyKeys implements RangeReader.Taker {
    private final OffsetMap map;
    private final long keysMax;
    private final long fromOffset;
    private final long endOffset;
    private final @Nullable CleanedTransactionMetadata transactions;
    private boolean transactionsMissing;
    private boolean ended;
    private boolean full;
    private final BufferSupplier buffers = BufferSupplier.create();

    /** @param transactions null: it is believed that there are none */
    DirtyKeys(CompactionSettings settings, long fromOffset, long endOffset, @Nullable Transactions transactions) {
        try {
            this.map = new SkimpyOffsetMap(settings.mapBytes(endOffset - fromOffset));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
        this.keysMax = Math.max(1, (long) (map.slots() * settings.loadFactor()));
        this.fromOffset = fromOffset;
        this.endOffset = endOffset;
        this.transactions = transactions == null ? null : transactions.metadata();
    }

    /** There are transactions after all: what was gathered is of no use. */
    boolean transactionsMissing() {
        return transactionsMissing;
    }

    /** The map is full, or the end is reached. */
    boolean ended() {
        return ended;
    }

    /** It ended because of that. */
    boolean full() {
        return full;
    }

    OffsetMap map() {
        return map;
    }

    /** All keys of offsets from the dirty part's beginning up to here are in the map. */
    long knownTo() {
        return map.latestOffset() + 1;
    }

    @Override
    public boolean take(ByteBuffer batches) {
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(batches).batches()) {
            if (batch.lastOffset() < fromOffset) {
                passOver(batch);
                continue;
            }
            if (batch.baseOffset() >= endOffset) {
                ended = true;
                return false;
            }
            if (!takes(batch)) {
                ended = true;
                return false;
            }
            map.updateLatestOffset(batch.lastOffset());
        }
        return true;
    }

    /** What ended before the dirty part has ended: else the producer's next transaction would pass for the aborted one. */
    private void passOver(MutableRecordBatch batch) {
        if (transactions == null) {
            return;
        }
        if (batch.isControlBatch()) {
            transactions.onControlBatchRead(batch);
        } else {
            transactions.onBatchRead(batch);
        }
    }

    private boolean takes(MutableRecordBatch batch) {
        CleanedTransactionMetadata metadata = transactions;
        if (metadata == null) {
            if (batch.isTransactional() || batch.isControlBatch()) {
                transactionsMissing = true;
                return false;
            }
        } else if (batch.isControlBatch()) {
            metadata.onControlBatchRead(batch);
            return true;
        } else if (metadata.onBatchRead(batch)) {
            return true;
        }
        return putAll(batch);
    }

    private boolean putAll(MutableRecordBatch batch) {
        try (CloseableIterator<Record> records = batch.streamingIterator(buffers)) {
            while (records.hasNext()) {
                Record record = records.next();
                if (record.hasKey() && record.offset() >= fromOffset) {
                    if (map.size() >= keysMax) {
                        full = true;
                        return false;
                    }
                    map.put(record.key(), record.offset());
                }
            }
            return true;
        } catch (DigestException e) {
            throw new IllegalStateException(e);
        }
    }
}
