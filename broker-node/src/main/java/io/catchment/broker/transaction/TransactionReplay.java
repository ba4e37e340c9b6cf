package io.catchment.broker.transaction;

import io.catchment.broker.coordinatorlog.Replay;
import io.catchment.broker.read.BatchRun;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.coordinator.transaction.TransactionLog;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The newest state of each transactional id, read from one partition of the log. Owned by its load. */
final class TransactionReplay implements Replay {
    private static final Logger LOG = LoggerFactory.getLogger(TransactionReplay.class);

    private final Map<String, TransactionMetadata> states = new HashMap<>();
    private long nextOffset;
    private long records;
    private long bytes;

    TransactionReplay(long startOffset) {
        this.nextOffset = startOffset;
    }

    @Override
    public void replay(BatchRun run) {
        for (MutableRecordBatch batch :
                MemoryRecords.readableRecords(run.payload().nioBuffer()).batches()) {
            batch.ensureValid();
            if (batch.nextOffset() <= nextOffset || batch.isControlBatch()) {
                continue;
            }
            for (Record record : batch) {
                records++;
                replay(record);
            }
            nextOffset = batch.nextOffset();
        }
        bytes += run.payload().readableBytes();
        nextOffset = Math.max(nextOffset, run.endOffset());
    }

    private void replay(Record record) {
        ByteBuffer value = record.hasValue() ? record.value() : null;
        TransactionLog.ReadResult read = TransactionLog.read(record.key(), value);
        if (read instanceof TransactionLog.TxnRecord state) {
            states.put(state.transactionId(), state.metadata());
        } else if (read instanceof TransactionLog.TxnTombstone gone) {
            states.remove(gone.transactionId());
        } else {
            LOG.warn(
                    "Ignoring a record of unknown version in the transaction log at offset {}: {}",
                    record.offset(),
                    read);
        }
    }

    Map<String, Transaction> found() {
        Map<String, Transaction> found = new HashMap<>();
        states.forEach((id, state) -> found.put(id, new Transaction(state)));
        return found;
    }

    @Override
    public long nextOffset() {
        return nextOffset;
    }

    @Override
    public void finish(long endOffset) {}

    @Override
    public long records() {
        return records;
    }

    @Override
    public long bytes() {
        return bytes;
    }
}
