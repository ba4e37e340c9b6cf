package io.catchment.broker.coordinatorlog;

import io.catchment.broker.read.BatchRun;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.coordinator.common.runtime.CoordinatorPlayback;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecordSerde;
import org.apache.kafka.coordinator.common.runtime.Deserializer.UnknownRecordTypeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns record batches into the coordinator's state, in offset order. Owned by one {@link StateLoad}. */
final class BatchReplay implements Replay {
    private static final Logger LOG = LoggerFactory.getLogger(BatchReplay.class);
    /** How far the state may run ahead of its last snapshot: a snapshot costs, and so does what is kept for going back to one. */
    private static final long SNAPSHOT_INTERVAL_OFFSETS = 16_384;

    private final TopicPartition partition;
    private final CoordinatorPlayback<CoordinatorRecord> playback;
    private final CoordinatorRecordSerde serde;
    private long nextOffset;
    private long snapshotOffset;
    private long records;
    private long bytes;

    BatchReplay(
            TopicPartition partition,
            CoordinatorRecordSerde serde,
            CoordinatorPlayback<CoordinatorRecord> playback,
            long startOffset) {
        this.partition = partition;
        this.serde = serde;
        this.playback = playback;
        this.nextOffset = startOffset;
    }

    @Override
    public long nextOffset() {
        return nextOffset;
    }

    @Override
    public long records() {
        return records;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    /** The payload stays the caller's. Throws for a corrupt batch and for a record that does not fit the state. */
    @Override
    public void replay(BatchRun run) {
        for (MutableRecordBatch batch :
                MemoryRecords.readableRecords(run.payload().nioBuffer()).batches()) {
            batch.ensureValid();
            if (batch.nextOffset() <= nextOffset) {
                continue;
            }
            for (Record record : batch) {
                records++;
                if (batch.isControlBatch()) {
                    replayMarker(batch, record);
                } else {
                    replayRecord(batch, record);
                }
            }
            nextOffset = batch.nextOffset();
            if (nextOffset - snapshotOffset >= SNAPSHOT_INTERVAL_OFFSETS) {
                snapshot(nextOffset);
            }
        }
        bytes += run.payload().readableBytes();
        // Compaction may have taken the last records of the run: its end counts.
        nextOffset = Math.max(nextOffset, run.endOffset());
    }

    /** Everything below the offset, which is acknowledged, is in the state. */
    @Override
    public void finish(long endOffset) {
        if (endOffset > snapshotOffset) {
            snapshot(endOffset);
        }
    }

    private void snapshot(long offset) {
        playback.updateLastWrittenOffset(offset);
        playback.updateLastCommittedOffset(offset);
        snapshotOffset = offset;
    }

    private void replayMarker(MutableRecordBatch batch, Record record) {
        ControlRecordType type = ControlRecordType.parse(record.key());
        if (type == ControlRecordType.COMMIT || type == ControlRecordType.ABORT) {
            playback.replayEndTransactionMarker(
                    batch.producerId(),
                    batch.producerEpoch(),
                    type == ControlRecordType.COMMIT ? TransactionResult.COMMIT : TransactionResult.ABORT);
        }
    }

    private void replayRecord(MutableRecordBatch batch, Record record) {
        CoordinatorRecord decoded;
        try {
            decoded = serde.deserialize(record.key(), record.value());
        } catch (UnknownRecordTypeException e) {
            LOG.warn("Ignoring a record of unknown type {} at {}@{}", e.unknownType(), partition, record.offset());
            return;
        }
        playback.replay(record.offset(), batch.producerId(), batch.producerEpoch(), decoded);
    }
}
