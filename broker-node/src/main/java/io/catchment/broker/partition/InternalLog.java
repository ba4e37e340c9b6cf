package io.catchment.broker.partition;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/** Appends that the node itself makes (state of groups and transactions, transaction markers), by the same way as a client's produce. */
public interface InternalLog {
    int ANY_EPOCH = -1;

    /**
     * Validates, gives offsets to and queues the batches, which are copied before this returns. The stage completes with the
     * offset after the last record as soon as it is queued (not yet acknowledged: watch the high watermark), or fails with
     * Kafka's ApiException (NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, …).
     *
     * @param leaderEpoch in which to append, or {@link #ANY_EPOCH}
     * @param transaction what the batches need to be part of one
     */
    CompletionStage<Long> append(
            TopicPartition partition, int leaderEpoch, ByteBuffer batches, InTransaction transaction);

    default CompletionStage<Long> append(TopicPartition partition, int leaderEpoch, ByteBuffer batches) {
        return append(partition, leaderEpoch, batches, InTransaction.NONE);
    }

    /**
     * Makes sure that the partition is part of the transaction, before records of it are appended with the guard that this completes with. Fails
     * with Kafka's ApiException.
     */
    CompletionStage<VerificationGuard> verify(
            TopicPartition partition, TransactionVerifier.Use use, long producerId, short producerEpoch);

    /**
     * @param guard of the verification before
     * @param markerVersion transaction version by which a marker is held against its producer's epoch
     */
    record InTransaction(VerificationGuard guard, short markerVersion) {
        public static final InTransaction NONE = new InTransaction(VerificationGuard.SENTINEL, (short) 0);
    }
}
