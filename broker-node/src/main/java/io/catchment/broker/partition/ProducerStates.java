package io.catchment.broker.partition;

import io.catchment.broker.batch.BatchHeader;
import io.netty.buffer.ByteBuf;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.BatchMetadata;
import org.apache.kafka.storage.internals.log.CompletedTxn;
import org.apache.kafka.storage.internals.log.LogOffsetMetadata;
import org.apache.kafka.storage.internals.log.ProducerAppendInfo;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.ProducerStateManager;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.apache.kafka.storage.internals.log.VerificationStateEntry;
import org.jspecify.annotations.Nullable;

/**
 * The idempotent and transactional producers of one partition, by Kafka's own rules ({@code ProducerStateManager}, used in memory only: its
 * snapshot directory does not exist, our snapshots are checkpoint frames), and how their transactions ended. Owned by the partition's event
 * loop, before that by whoever opens the partition; only {@link #aborted} may be asked by others.
 */
final class ProducerStates {
    /** The manager lists this directory once and finds nothing; it never writes. */
    private static final File NO_DIRECTORY = new File("no-producer-snapshots");

    private static final int TRANSACTION_TIMEOUT_MAX_MS = 15 * 60 * 1000;

    private final TopicPartition partition;
    private final ProducerStateManagerConfig config;
    private final Time time;
    /** Made with the first idempotent batch: most partitions of a large cluster never see one. */
    private @Nullable ProducerStateManager manager;

    private final AbortedTransactions aborted = new AbortedTransactions();
    /** Whether a transaction or a marker was ever seen. */
    private boolean transactional;

    ProducerStates(TopicPartition partition, ProducerStateManagerConfig config, Time time) {
        this.partition = partition;
        this.config = config;
        this.time = time;
    }

    boolean isEmpty() {
        return manager == null || manager.isEmpty();
    }

    /** The batch as it was appended before, if this one is a retry of it; null if it is new. */
    @Nullable
    BatchMetadata duplicateOf(ByteBuffer buffer, int at) {
        if (manager == null) {
            return null;
        }
        ProducerStateEntry entry = manager.activeProducers().get(BatchHeader.producerId(buffer, at));
        if (entry == null || entry.producerEpoch() != BatchHeader.producerEpoch(buffer, at)) {
            return null;
        }
        int firstSequence = BatchHeader.baseSequence(buffer, at);
        if (firstSequence < 0) {
            return null;
        }
        int lastSequence = BatchHeader.lastSequence(buffer, at);
        for (BatchMetadata batch : entry.batchMetadata()) {
            if (batch.firstSeq() == firstSequence && batch.lastSeq() == lastSequence) {
                return batch;
            }
        }
        return null;
    }

    /**
     * Checks epoch and sequence of a batch that will get {@code baseOffset}; {@link #accept} makes it so. Throws Kafka's
     * ApiException (OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, …).
     *
     * <p>A producer expires by when it was heard of here, not by its records' times as in Kafka: who was cut off for days brings old records, and
     * its retries must be known all the same (P2).
     */
    ProducerAppendInfo prepare(ByteBuffer buffer, int at, long baseOffset, AppendOrigin origin) {
        ProducerAppendInfo info = manager().prepareUpdate(BatchHeader.producerId(buffer, at), origin);
        info.appendDataBatch(
                BatchHeader.producerEpoch(buffer, at),
                BatchHeader.baseSequence(buffer, at),
                BatchHeader.lastSequence(buffer, at),
                time.milliseconds(),
                new LogOffsetMetadata(baseOffset),
                baseOffset + BatchHeader.lastOffsetDelta(buffer, at),
                BatchHeader.isTransactional(buffer, at));
        return info;
    }

    void accept(ProducerAppendInfo info, long endOffset) {
        ProducerStateManager present = manager();
        present.update(info);
        present.updateMapEndOffset(endOffset);
        if (!info.startedTransactions().isEmpty()) {
            transactional = true;
            present.clearVerificationStateEntry(info.producerId());
        }
    }

    // ---- transactions

    /**
     * A marker that ends a transaction.
     *
     * @param completed empty when its producer had none under way here
     */
    record Ending(ProducerAppendInfo info, Optional<CompletedTxn> completed) {}

    /**
     * Checks the marker in the batch, which has its offset already; {@link #accept(Ending, long)} makes it so. Throws Kafka's ApiException
     * (INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED).
     *
     * @param transactionVersion from 2 on the marker's epoch must be later than that of the records (KIP-890)
     */
    Ending prepareMarker(ByteBuffer batch, int at, AppendOrigin origin, short transactionVersion) {
        MutableRecordBatch marker = MemoryRecords.readableRecords(batch.slice(at, BatchHeader.sizeInBytes(batch, at)))
                .batches()
                .iterator()
                .next();
        ProducerAppendInfo info = manager().prepareUpdate(marker.producerId(), origin);
        return new Ending(info, info.append(marker, Optional.empty(), transactionVersion));
    }

    void accept(Ending ending, long endOffset) {
        transactional = true;
        ProducerStateManager present = manager();
        present.clearVerificationStateEntry(ending.info().producerId());
        present.update(ending.info());
        present.updateMapEndOffset(endOffset);
        if (ending.completed().isPresent()) {
            CompletedTxn completed = ending.completed().get();
            if (completed.isAborted()) {
                aborted.add(new AbortedTransaction(
                        completed.producerId(),
                        completed.firstOffset(),
                        completed.lastOffset(),
                        present.lastStableOffset(completed)));
            }
            present.completeTxn(completed);
        }
    }

    /** Whether the producer has a transaction under way here in this epoch: its further batches need no verification. */
    boolean hasTransaction(long producerId, short epoch) {
        return entry(producerId)
                .filter(known -> known.producerEpoch() == epoch
                        && known.currentTxnFirstOffset().isPresent())
                .isPresent();
    }

    /** To be shown again when the batch comes: what ends the transaction meanwhile makes it void. */
    VerificationGuard beginVerification(long producerId, int sequence, short epoch, boolean supportsEpochBump) {
        return manager()
                .maybeCreateVerificationStateEntry(producerId, sequence, epoch, supportsEpochBump)
                .verificationGuard();
    }

    boolean isVerified(long producerId, VerificationGuard guard) {
        VerificationStateEntry entry = manager().verificationStateEntry(producerId);
        return entry != null && entry.verificationGuard().verify(guard);
    }

    void acknowledged(long highWatermark) {
        if (manager != null) {
            manager.onHighWatermarkUpdated(highWatermark);
        }
    }

    /** Where the first transaction begins whose end is not acknowledged; Long.MAX_VALUE if there is none. */
    long firstUnstableOffset() {
        return manager == null
                ? Long.MAX_VALUE
                : manager.firstUnstableOffset()
                        .map(first -> first.messageOffset)
                        .orElse(Long.MAX_VALUE);
    }

    AbortedTransactions aborted() {
        return aborted;
    }

    /** What is older is not known: the log begins here, or its beginning was not read. */
    void beginsAt(long offset) {
        aborted.knownFrom(offset);
    }

    Collection<ProducerStateEntry> active() {
        return manager == null ? List.of() : manager.activeProducers().values();
    }

    /** Takes in a batch that was accepted in an earlier epoch: of data the header is enough, of a marker all is needed. */
    void replay(ByteBuffer batch, int at) {
        if (BatchHeader.producerId(batch, at) < 0) {
            return;
        }
        long endOffset = BatchHeader.lastOffset(batch, at) + 1;
        if (BatchHeader.isControl(batch, at)) {
            accept(prepareMarker(batch, at, AppendOrigin.REPLICATION, (short) 0), endOffset);
        } else {
            accept(prepare(batch, at, BatchHeader.baseOffset(batch, at), AppendOrigin.REPLICATION), endOffset);
        }
    }

    void expire(long nowMs) {
        if (manager != null) {
            manager.removeExpiredProducers(nowMs);
        }
    }

    /** Writes a checkpoint; see {@link ProducerCheckpoint} for the bytes. */
    void writeTo(ByteBuf out) {
        if (transactional) {
            ProducerCheckpoint.write(active(), aborted, out);
        } else {
            ProducerCheckpoint.write(active(), out);
        }
    }

    /** Replaces nothing: to be called on a fresh one. */
    void readFrom(ByteBuf in) {
        ProducerCheckpoint.read(in, new ProducerCheckpoint.Sink() {
            @Override
            public void producer(ProducerStateEntry producer, List<BatchMetadata> batches) {
                boolean inTransaction = producer.currentTxnFirstOffset().isPresent();
                manager().loadProducerEntry(producer);
                for (BatchMetadata batch : batches) {
                    ProducerAppendInfo info = manager().prepareUpdate(producer.producerId(), AppendOrigin.REPLICATION);
                    info.appendDataBatch(
                            producer.producerEpoch(),
                            batch.firstSeq(),
                            batch.lastSeq(),
                            batch.timestamp(),
                            new LogOffsetMetadata(batch.firstOffset()),
                            batch.lastOffset(),
                            inTransaction);
                    accept(info, batch.lastOffset() + 1);
                }
            }

            @Override
            public void aborted(long knownFrom, List<AbortedTransaction> all) {
                transactional = true;
                aborted.knownFrom(knownFrom);
                all.forEach(aborted::add);
            }
        });
    }

    Optional<ProducerStateEntry> entry(long producerId) {
        return manager == null ? Optional.empty() : manager.lastEntry(producerId);
    }

    private ProducerStateManager manager() {
        ProducerStateManager present = manager;
        if (present == null) {
            try {
                present = new ProducerStateManager(partition, NO_DIRECTORY, TRANSACTION_TIMEOUT_MAX_MS, config, time);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            manager = present;
        }
        return present;
    }
}
