package io.catchment.broker.coordinatorlog;

import io.catchment.broker.partition.InternalLog;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.partition.TransactionVerifier;
import io.catchment.broker.partition.TransactionVerifier.Ability;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.coordinator.common.runtime.PartitionWriter;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/**
 * How the coordinator writes its records: through the node's own partitions, in the tenure they were loaded in. Thread-safe:
 * called by the coordinator's threads, one at a time for each partition; it blocks them until an append is queued.
 */
public final class StreamPartitionWriter implements PartitionWriter {
    /** Of TxnOffsetCommit. */
    private static final int ADDING_VERSION = 5;

    private final InternalLog log;
    private final Tenures tenures;
    private final Supplier<LogConfig> config;
    private final long queueTimeoutMs;
    private final RecordDeletion deletion;
    private final ConcurrentMap<Listener, TenureWatch> watches = new ConcurrentHashMap<>();

    /** Moves the log start up to an offset, since the coordinator needs nothing below it any more. Must not block. */
    @FunctionalInterface
    public interface RecordDeletion {
        CompletionStage<Void> deleteBefore(PartitionView partition, long offset);
    }

    public StreamPartitionWriter(
            InternalLog log,
            Tenures tenures,
            Supplier<LogConfig> config,
            long queueTimeoutMs,
            RecordDeletion deletion) {
        this.log = log;
        this.tenures = tenures;
        this.config = config;
        this.queueTimeoutMs = queueTimeoutMs;
        this.deletion = deletion;
    }

    /** The listener hears of this tenure only, as Kafka demands: it is never armed again. */
    @Override
    public void registerListener(TopicPartition partition, Listener listener) {
        tenures.find(partition).ifPresent(tenure -> {
            TenureWatch watch = new TenureWatch(tenure, listener);
            watches.put(listener, watch);
            tenure.view().watch(watch);
        });
    }

    @Override
    public void deregisterListener(TopicPartition partition, Listener listener) {
        TenureWatch watch = watches.remove(listener);
        if (watch != null) {
            watch.retire();
        }
    }

    @Override
    public LogConfig config(TopicPartition partition) {
        return config.get();
    }

    /** The records lie in a buffer that the caller uses again: {@link InternalLog#append} copies them before it returns. */
    @Override
    public long append(
            TopicPartition partition, VerificationGuard guard, MemoryRecords records, short transactionVersion) {
        Tenure tenure = tenures.find(partition)
                .orElseThrow(() -> new NotLeaderOrFollowerException(partition + " is not served by this node"));
        CompletableFuture<Long> endOffset = log.append(
                        partition,
                        tenure.epoch(),
                        records.buffer(),
                        new InternalLog.InTransaction(guard, transactionVersion))
                .toCompletableFuture();
        tenure.appending(endOffset);
        return await(partition, endOffset);
    }

    private long await(TopicPartition partition, CompletableFuture<Long> endOffset) {
        try {
            return endOffset.get(queueTimeoutMs, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KafkaException known
                    ? known
                    : new KafkaStorageException("Append to " + partition + " failed", e.getCause());
        } catch (java.util.concurrent.TimeoutException e) {
            // Nobody knows whether it will be written. If it is, the next append's offset gives it away and the
            // coordinator reloads.
            throw new TimeoutException("Append to " + partition + " was not queued in " + queueTimeoutMs + " ms", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimeoutException("Append to " + partition + " was interrupted", e);
        }
    }

    /** Asked for TxnOffsetCommit only: from version 5 on the client leaves adding the partition to the coordinator (KIP-890). */
    @Override
    public CompletableFuture<VerificationGuard> maybeStartTransactionVerification(
            TopicPartition partition, String transactionalId, long producerId, short producerEpoch, int apiVersion) {
        Ability ability = apiVersion >= ADDING_VERSION
                ? Ability.ADDED_BY_LOG
                : apiVersion == ADDING_VERSION - 1 ? Ability.ABORTABLE : Ability.OLD;
        return log.verify(partition, new TransactionVerifier.Use(transactionalId, ability), producerId, producerEpoch)
                .toCompletableFuture();
    }

    /** Asked only by the share coordinator, whose log is not compacted. */
    @Override
    public CompletableFuture<Void> deleteRecords(TopicPartition partition, long deleteBeforeOffset) {
        return tenures.find(partition)
                .map(tenure ->
                        deletion.deleteBefore(tenure.view(), deleteBeforeOffset).toCompletableFuture())
                .orElseGet(() -> CompletableFuture.failedFuture(
                        new NotLeaderOrFollowerException(partition + " is not served by this node")));
    }
}
