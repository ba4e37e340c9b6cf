package io.catchment.broker.transaction;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.coordinator.transaction.TxnTransitMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a transaction ends: the decision is written down, the markers are delivered, then the last record is written. What is prepared to end is
 * ended, by this or a later coordinator. For the coordinator's thread.
 */
final class Ending {
    private static final Logger LOG = LoggerFactory.getLogger(Ending.class);
    private static final long RETRY_MS = 100;

    private final Steps steps;
    private final MarkerDelivery markers;

    Ending(Steps steps, MarkerDelivery markers) {
        this.steps = steps;
        this.markers = markers;
    }

    void end(String transactionalId, EndRules.Request request, CompletableFuture<Identity> answer) {
        LogPartition partition = steps.partitions().of(transactionalId);
        Transaction transaction = Steps.known(partition, transactionalId);
        TransactionMetadata state = transaction.state();
        EndRules.Decision decision = EndRules.decide(state, request);
        if (decision.error() != Errors.NONE) {
            answer.complete(Identity.failed(decision.error()));
        } else if (decision.isDone()) {
            answer.complete(new Identity(Errors.NONE, state.producerId(), state.producerEpoch()));
        } else if (EndRules.needsProducerId(state, request)) {
            steps.withProducerId(answer, id -> {
                LogPartition now = steps.partitions().of(transactionalId);
                Transaction same = Steps.known(now, transactionalId);
                EndRules.Decision again = EndRules.decide(same.state(), request);
                if (same != transaction || again.error() != Errors.NONE || again.isDone()) {
                    throw Errors.CONCURRENT_TRANSACTIONS.exception();
                }
                prepare(now, same, request, again, id, answer);
            });
        } else {
            prepare(partition, transaction, request, decision, RecordBatch.NO_PRODUCER_ID, answer);
        }
    }

    /** The decision is written down: from here on the transaction ends this way. */
    private void prepare(
            LogPartition partition,
            Transaction transaction,
            EndRules.Request request,
            EndRules.Decision decision,
            long nextProducerId,
            CompletableFuture<Identity> answer) {
        TransactionMetadata state = transaction.state();
        if (EndRules.isFencing(state)) {
            state.pendingState(Optional.empty());
        }
        // From transaction version 2 on the end itself raises the epoch, and nothing is raised before that is written.
        boolean raises = !request.fromClient() && !request.version().supportsEpochBump();
        if (raises) {
            state.setProducerEpoch(request.producerEpoch());
            state.setLastProducerEpoch(RecordBatch.NO_PRODUCER_EPOCH);
        }
        TxnTransitMetadata next = state.prepareAbortOrCommit(
                decision.next(),
                request.version(),
                nextProducerId,
                steps.loop().wallClockMs(),
                decision.nothingAdded());
        Steps.transit(partition, transaction, next, error -> {
            if (error == Errors.NONE) {
                TxnTransitMetadata completed = complete(partition, transaction);
                answer.complete(new Identity(Errors.NONE, completed.producerId(), completed.producerEpoch()));
            } else {
                if (raises) {
                    // The epoch was raised already: the next attempt must not raise it again.
                    state.hasFailedEpochFence(true);
                }
                answer.complete(Identity.failed(error));
            }
        });
    }

    /** Markers, then the last record. What it will be is known at once: new transactions wait for it. */
    private TxnTransitMetadata complete(LogPartition partition, Transaction transaction) {
        TransactionMetadata state = transaction.state();
        Markers ending = new Markers(
                state.transactionalId(),
                state.producerId(),
                state.producerEpoch(),
                partition.coordinatorEpoch(),
                state.state() == TransactionState.PREPARE_COMMIT,
                state.clientTransactionVersion().featureLevel(),
                state.topicPartitions());
        TxnTransitMetadata next = state.prepareComplete(steps.loop().wallClockMs());
        markers.deliver(ending, partition::holds, () -> finish(partition, transaction, next));
        return next;
    }

    private void finish(LogPartition partition, Transaction transaction, TxnTransitMetadata next) {
        partition.append(transaction.state().transactionalId(), next, error -> {
            if (error == Errors.NONE) {
                transaction.state().completeTransitionTo(next);
                transaction.transitionOver();
            } else if (partition.holds()) {
                steps.loop().schedule(() -> finish(partition, transaction, next), RETRY_MS);
            }
        });
    }

    /** Aborts what is under way, with an epoch that shuts out its producer. */
    void fence(Transaction transaction) {
        TransactionMetadata state = transaction.state();
        TxnTransitMetadata fenced = state.prepareFenceProducerEpoch();
        EndRules.Request abort =
                EndRules.Request.toFence(fenced.producerId(), fenced.producerEpoch(), state.clientTransactionVersion());
        CompletableFuture<Identity> aborted = new CompletableFuture<>();
        var unused = aborted.whenComplete((identity, failure) -> {
            if (failure != null || identity.error() != Errors.NONE) {
                if (EndRules.isFencing(state)) {
                    // There was no producer id for what comes after it: the next attempt asks again.
                    state.pendingState(Optional.empty());
                }
                LOG.info(
                        "Transaction {} could not be aborted now: {}",
                        state.transactionalId(),
                        failure == null ? identity.error() : failure);
            }
        });
        Steps.guarded(aborted, Identity::failed, () -> end(state.transactionalId(), abort, aborted));
    }

    /** A log was loaded: what its last coordinator had decided is carried out. */
    void loaded(LogPartition partition) {
        for (Transaction transaction : partition.transactions().values()) {
            TransactionState at = transaction.state().state();
            if (at == TransactionState.PREPARE_COMMIT || at == TransactionState.PREPARE_ABORT) {
                var unused = complete(partition, transaction);
            }
        }
    }
}
