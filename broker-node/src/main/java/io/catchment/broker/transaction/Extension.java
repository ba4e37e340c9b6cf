package io.catchment.broker.transaction;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.coordinator.transaction.TxnTransitMetadata;
import org.apache.kafka.server.common.TransactionVersion;

/** What a transaction writes to: partitions are added, and whoever is to write asks whether they were. For the coordinator's thread. */
final class Extension {
    private final Steps steps;

    Extension(Steps steps) {
        this.steps = steps;
    }

    void add(
            String transactionalId,
            long producerId,
            short producerEpoch,
            Set<TopicPartition> added,
            TransactionVersion version,
            CompletableFuture<Errors> answer) {
        LogPartition partition = steps.partitions().of(transactionalId);
        Transaction transaction = Steps.known(partition, transactionalId);
        TransactionMetadata state = transaction.state();
        boolean adding = state.pendingState().equals(Optional.of(TransactionState.ONGOING));
        if (isEnding(state) || (state.pendingTransitionInProgress() && !adding)) {
            // Before the producer is checked: it may know already who it will be then.
            throw Errors.CONCURRENT_TRANSACTIONS.exception();
        }
        checkProducer(state, producerId, producerEpoch);
        if (adding) {
            Runnable again = () -> Steps.guarded(
                    answer,
                    error -> error,
                    () -> add(transactionalId, producerId, producerEpoch, added, version, answer));
            if (!transaction.afterTransition(again)) {
                throw Errors.CONCURRENT_TRANSACTIONS.exception();
            }
            return;
        }
        switch (state.state()) {
            case PREPARE_COMMIT, PREPARE_ABORT, DEAD, PREPARE_EPOCH_FENCE ->
                throw new IllegalStateException("transaction " + transactionalId + " is " + state.state());
            case ONGOING, EMPTY, COMPLETE_COMMIT, COMPLETE_ABORT -> {
                if (state.state() == TransactionState.ONGOING
                        && state.topicPartitions().containsAll(added)) {
                    answer.complete(Errors.NONE);
                    return;
                }
                TxnTransitMetadata next = state.prepareAddPartitions(
                        new HashSet<>(added), steps.loop().wallClockMs(), version);
                Steps.transit(partition, transaction, next, answer::complete);
            }
        }
    }

    /** Whether they are part of the transaction under way: NONE or TRANSACTION_ABORTABLE. */
    Map<TopicPartition, Errors> verify(
            String transactionalId, long producerId, short producerEpoch, Collection<TopicPartition> asked) {
        TransactionMetadata state = Steps.known(steps.partitions().of(transactionalId), transactionalId)
                .state();
        checkProducer(state, producerId, producerEpoch);
        if (isEnding(state)) {
            throw Errors.CONCURRENT_TRANSACTIONS.exception();
        }
        Map<TopicPartition, Errors> outcome = new HashMap<>();
        for (TopicPartition partition : asked) {
            boolean part = state.topicPartitions().contains(partition);
            outcome.put(partition, part ? Errors.NONE : Errors.TRANSACTION_ABORTABLE);
        }
        return outcome;
    }

    private static boolean isEnding(TransactionMetadata state) {
        return state.state() == TransactionState.PREPARE_COMMIT || state.state() == TransactionState.PREPARE_ABORT;
    }

    private static void checkProducer(TransactionMetadata state, long producerId, short producerEpoch) {
        if (state.producerId() != producerId) {
            throw Errors.INVALID_PRODUCER_ID_MAPPING.exception();
        }
        if (state.producerEpoch() != producerEpoch) {
            throw Errors.PRODUCER_FENCED.exception();
        }
    }
}
