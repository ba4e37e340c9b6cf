package io.catchment.broker.partition;

import io.catchment.broker.batch.BatchHeader;
import io.netty.buffer.ByteBuf;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.BatchMetadata;
import org.apache.kafka.storage.internals.log.LogOffsetMetadata;
import org.apache.kafka.storage.internals.log.ProducerAppendInfo;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.ProducerStateManager;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.jspecify.annotations.Nullable;

/**
 * The idempotent producers of one partition, by Kafka's own rules ({@code ProducerStateManager}, used in memory only: its
 * snapshot directory does not exist, our snapshots are checkpoint frames). Owned by the partition's event loop, before that
 * by whoever opens the partition.
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
     */
    ProducerAppendInfo prepare(ByteBuffer buffer, int at, long baseOffset, AppendOrigin origin) {
        ProducerAppendInfo info = manager().prepareUpdate(BatchHeader.producerId(buffer, at), origin);
        info.appendDataBatch(
                BatchHeader.producerEpoch(buffer, at),
                BatchHeader.baseSequence(buffer, at),
                BatchHeader.lastSequence(buffer, at),
                BatchHeader.maxTimestamp(buffer, at),
                new LogOffsetMetadata(baseOffset),
                baseOffset + BatchHeader.lastOffsetDelta(buffer, at),
                false);
        return info;
    }

    void accept(ProducerAppendInfo info, long endOffset) {
        manager().update(info);
        manager().updateMapEndOffset(endOffset);
    }

    /** Takes in a batch that was accepted in an earlier epoch, from its header alone. */
    void replay(ByteBuffer header, int at) {
        if (BatchHeader.producerId(header, at) >= 0 && !BatchHeader.isControl(header, at)) {
            accept(
                    prepare(header, at, BatchHeader.baseOffset(header, at), AppendOrigin.REPLICATION),
                    BatchHeader.lastOffset(header, at) + 1);
        }
    }

    void expire(long nowMs) {
        if (manager != null) {
            manager.removeExpiredProducers(nowMs);
        }
    }

    /** Writes a checkpoint; see {@link ProducerCheckpoint} for the bytes. */
    void writeTo(ByteBuf out) {
        ProducerCheckpoint.write(
                manager == null
                        ? java.util.List.of()
                        : manager.activeProducers().values(),
                out);
    }

    /** Replaces nothing: to be called on a fresh one. */
    void readFrom(ByteBuf in) {
        ProducerCheckpoint.read(in, (producerId, epoch, batch) -> {
            ProducerAppendInfo info = manager().prepareUpdate(producerId, AppendOrigin.REPLICATION);
            info.appendDataBatch(
                    epoch,
                    batch.firstSeq(),
                    batch.lastSeq(),
                    batch.timestamp(),
                    new LogOffsetMetadata(batch.firstOffset()),
                    batch.lastOffset(),
                    false);
            accept(info, batch.lastOffset() + 1);
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
