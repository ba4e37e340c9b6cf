package io.catchment.broker.transaction;

import io.catchment.broker.transaction.TransactionCoordinator.Expected;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.coordinator.transaction.TxnTransitMetadata;
import org.apache.kafka.server.common.TransactionVersion;

/**
 * InitProducerId for a transactional id: who begins anew gets the next epoch, or a new id when epochs are used up, once the transaction of its
 * predecessor is over. For the coordinator's thread.
 */
final class Initialization {
    private final Steps steps;
    private final Ending ending;

    Initialization(Steps steps, Ending ending) {
        this.steps = steps;
        this.ending = ending;
    }

    void begin(String transactionalId, int timeoutMs, Optional<Expected> expected, CompletableFuture<Identity> answer) {
        LogPartition partition = steps.partitions().of(transactionalId);
        Transaction known = partition.transactions().get(transactionalId);
        if (known == null || needsProducerId(known.state(), expected)) {
            steps.withProducerId(answer, id -> {
                LogPartition now = steps.partitions().of(transactionalId);
                Transaction transaction = now.transactions()
                        .computeIfAbsent(transactionalId, unknown -> new Transaction(fresh(unknown, id, timeoutMs)));
                begin(now, transaction, timeoutMs, expected, id, answer);
            });
        } else {
            begin(partition, known, timeoutMs, expected, RecordBatch.NO_PRODUCER_ID, answer);
        }
    }

    private static boolean needsProducerId(TransactionMetadata state, Optional<Expected> expected) {
        return state.isProducerEpochExhausted()
                && expected.map(each -> isPresent(state, each)).orElse(true);
    }

    /** It is the one that has the id now. */
    private static boolean isPresent(TransactionMetadata state, Expected expected) {
        return expected.producerId() == state.producerId() && expected.producerEpoch() == state.producerEpoch();
    }

    /** It may have lost the answer that told it its epoch, and nobody came after it. */
    private static boolean asksAgain(TransactionMetadata state, Expected expected) {
        return expected.producerId() == state.producerId() && expected.producerEpoch() == state.lastProducerEpoch();
    }

    private TransactionMetadata fresh(String transactionalId, long producerId, int timeoutMs) {
        return new TransactionMetadata(
                transactionalId,
                producerId,
                RecordBatch.NO_PRODUCER_ID,
                RecordBatch.NO_PRODUCER_ID,
                RecordBatch.NO_PRODUCER_EPOCH,
                RecordBatch.NO_PRODUCER_EPOCH,
                timeoutMs,
                TransactionState.EMPTY,
                Set.of(),
                -1,
                steps.loop().wallClockMs(),
                TransactionVersion.TV_0);
    }

    private void begin(
            LogPartition partition,
            Transaction transaction,
            int timeoutMs,
            Optional<Expected> expected,
            long freshId,
            CompletableFuture<Identity> answer) {
        TransactionMetadata state = transaction.state();
        if (state.pendingTransitionInProgress()) {
            throw Errors.CONCURRENT_TRANSACTIONS.exception();
        }
        if (expected.isPresent() && !mayContinue(state, expected.get())) {
            throw Errors.PRODUCER_FENCED.exception();
        }
        switch (state.state()) {
            case PREPARE_ABORT, PREPARE_COMMIT -> throw Errors.CONCURRENT_TRANSACTIONS.exception();
            case ONGOING -> {
                // The transaction of its predecessor is aborted first; meanwhile it asks again.
                ending.fence(transaction);
                throw Errors.CONCURRENT_TRANSACTIONS.exception();
            }
            case EMPTY, COMPLETE_ABORT, COMPLETE_COMMIT -> {
                if (state.isProducerEpochExhausted()
                        && expected.filter(each -> asksAgain(state, each)).isPresent()) {
                    answer.complete(new Identity(Errors.NONE, state.producerId(), state.producerEpoch()));
                    return;
                }
                TxnTransitMetadata next = next(state, timeoutMs, expected, freshId);
                Steps.transit(
                        partition,
                        transaction,
                        next,
                        error -> answer.complete(
                                error == Errors.NONE
                                        ? new Identity(Errors.NONE, next.producerId(), next.producerEpoch())
                                        : Identity.failed(error)));
            }
            case DEAD, PREPARE_EPOCH_FENCE ->
                throw new IllegalStateException("transaction " + state.transactionalId() + " is " + state.state());
        }
    }

    private TxnTransitMetadata next(
            TransactionMetadata state, int timeoutMs, Optional<Expected> expected, long freshId) {
        long nowMs = steps.loop().wallClockMs();
        if (!state.isProducerEpochExhausted()) {
            return state.prepareIncrementProducerEpoch(timeoutMs, expected.map(Expected::producerEpoch), nowMs);
        }
        if (!needsProducerId(state, expected)) {
            throw Errors.PRODUCER_FENCED.exception();
        }
        if (freshId == RecordBatch.NO_PRODUCER_ID) {
            throw Errors.CONCURRENT_TRANSACTIONS.exception();
        }
        return state.prepareProducerIdRotation(freshId, timeoutMs, nowMs, expected.isPresent());
    }

    /** It names the present id, or the one before whose epochs were used up, or there is none yet. */
    private static boolean mayContinue(TransactionMetadata state, Expected expected) {
        return state.producerEpoch() == RecordBatch.NO_PRODUCER_EPOCH
                || expected.producerId() == state.producerId()
                || (expected.producerId() == state.prevProducerId()
                        && TransactionMetadata.isEpochExhausted(expected.producerEpoch()));
    }
}
