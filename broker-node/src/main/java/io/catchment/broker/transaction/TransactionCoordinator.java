package io.catchment.broker.transaction;

import io.catchment.broker.loop.SerialLoop;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.coordinator.transaction.TxnTransitMetadata;
import org.apache.kafka.server.common.TransactionVersion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transactions whose partition of {@code __transaction_state} this node owns: Kafka's transitions, one thread. Each operation looks at the
 * state, prepares a transition, appends it, and goes on when that is acknowledged; meanwhile other operations on the same id are told
 * CONCURRENT_TRANSACTIONS (only more partitions of the transaction under way wait). What is prepared to end is ended, by this or a later
 * coordinator: whoever loads a log sends the markers that are missing.
 *
 * <p>All methods may be called from any thread; the stages complete on the coordinator's thread.
 */
public final class TransactionCoordinator {
    private static final Logger LOG = LoggerFactory.getLogger(TransactionCoordinator.class);
    private static final long RETRY_MS = 100;

    private final TransactionSettings settings;
    private final SerialLoop loop;
    private final Supplier<CompletionStage<Long>> producerIds;
    private final TransactionPartitions partitions;
    private final MarkerDelivery markers;

    TransactionCoordinator(
            TransactionSettings settings,
            SerialLoop loop,
            Supplier<CompletionStage<Long>> producerIds,
            TransactionPartitions partitions,
            MarkerDelivery markers) {
        this.settings = settings;
        this.loop = loop;
        this.producerIds = producerIds;
        this.partitions = partitions;
        this.markers = markers;
    }

    // ---- who a producer is

    /** @param expected what the producer believes to be (KIP-360); empty: it begins anew */
    public CompletionStage<Identity> initProducerId(
            String transactionalId, int timeoutMs, Optional<Expected> expected) {
        if (timeoutMs <= 0 || timeoutMs > settings.timeoutMsMax()) {
            return CompletableFuture.completedFuture(Identity.failed(Errors.INVALID_TRANSACTION_TIMEOUT));
        }
        return run(Identity::failed, answer -> initialize(transactionalId, timeoutMs, expected, answer));
    }

    /** Id and epoch by a producer's own account. */
    public record Expected(long producerId, short producerEpoch) {}

    private void initialize(
            String transactionalId, int timeoutMs, Optional<Expected> expected, CompletableFuture<Identity> answer) {
        LogPartition partition = partitions.of(transactionalId);
        Transaction known = partition.transactions().get(transactionalId);
        if (known == null || needsProducerId(known.state(), expected)) {
            withProducerId(answer, id -> {
                LogPartition now = partitions.of(transactionalId);
                Transaction transaction = now.transactions()
                        .computeIfAbsent(transactionalId, unknown -> new Transaction(fresh(unknown, id, timeoutMs)));
                initialize(now, transaction, timeoutMs, expected, id, answer);
            });
        } else {
            initialize(partition, known, timeoutMs, expected, RecordBatch.NO_PRODUCER_ID, answer);
        }
    }

    private static boolean needsProducerId(TransactionMetadata state, Optional<Expected> expected) {
        return state.isProducerEpochExhausted()
                && expected.map(each -> each.producerId() == state.producerId()).orElse(true);
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
                loop.wallClockMs(),
                TransactionVersion.TV_0);
    }

    private void initialize(
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
                fence(transaction);
                throw Errors.CONCURRENT_TRANSACTIONS.exception();
            }
            case EMPTY, COMPLETE_ABORT, COMPLETE_COMMIT -> {
                TxnTransitMetadata next = freshId != RecordBatch.NO_PRODUCER_ID && state.isProducerEpochExhausted()
                        ? state.prepareProducerIdRotation(freshId, timeoutMs, loop.wallClockMs(), expected.isPresent())
                        : state.prepareIncrementProducerEpoch(
                                timeoutMs, expected.map(Expected::producerEpoch), loop.wallClockMs());
                transit(
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

    /** It names the present id, or the one before whose epochs were used up, or there is none yet. */
    private static boolean mayContinue(TransactionMetadata state, Expected expected) {
        return state.producerEpoch() == RecordBatch.NO_PRODUCER_EPOCH
                || expected.producerId() == state.producerId()
                || (expected.producerId() == state.prevProducerId()
                        && TransactionMetadata.isEpochExhausted(expected.producerEpoch()));
    }

    // ---- what a transaction writes to

    public CompletionStage<Errors> addPartitions(
            String transactionalId,
            long producerId,
            short producerEpoch,
            Collection<TopicPartition> added,
            TransactionVersion version) {
        return run(
                error -> error,
                answer -> add(transactionalId, producerId, producerEpoch, Set.copyOf(added), version, answer));
    }

    private void add(
            String transactionalId,
            long producerId,
            short producerEpoch,
            Set<TopicPartition> added,
            TransactionVersion version,
            CompletableFuture<Errors> answer) {
        LogPartition partition = partitions.of(transactionalId);
        Transaction transaction = known(partition, transactionalId);
        TransactionMetadata state = transaction.state();
        checkProducer(state, producerId, producerEpoch);
        if (state.pendingTransitionInProgress()) {
            boolean adding = state.pendingState().equals(Optional.of(TransactionState.ONGOING));
            Runnable again = () -> guarded(
                    answer,
                    error -> error,
                    () -> add(transactionalId, producerId, producerEpoch, added, version, answer));
            if (!adding || !transaction.afterTransition(again)) {
                throw Errors.CONCURRENT_TRANSACTIONS.exception();
            }
            return;
        }
        switch (state.state()) {
            case PREPARE_COMMIT, PREPARE_ABORT -> throw Errors.CONCURRENT_TRANSACTIONS.exception();
            case DEAD, PREPARE_EPOCH_FENCE ->
                throw new IllegalStateException("transaction " + transactionalId + " is " + state.state());
            case ONGOING, EMPTY, COMPLETE_COMMIT, COMPLETE_ABORT -> {
                if (state.state() == TransactionState.ONGOING
                        && state.topicPartitions().containsAll(added)) {
                    answer.complete(Errors.NONE);
                    return;
                }
                TxnTransitMetadata next =
                        state.prepareAddPartitions(new java.util.HashSet<>(added), loop.wallClockMs(), version);
                transit(partition, transaction, next, answer::complete);
            }
        }
    }

    /** Whether the partitions are part of the transaction under way: by partition NONE or TRANSACTION_ABORTABLE. Fails with an ApiException. */
    public CompletionStage<Map<TopicPartition, Errors>> verifyPartitions(
            String transactionalId, long producerId, short producerEpoch, Collection<TopicPartition> asked) {
        CompletableFuture<Map<TopicPartition, Errors>> answer = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                TransactionMetadata state =
                        known(partitions.of(transactionalId), transactionalId).state();
                checkProducer(state, producerId, producerEpoch);
                if (state.state() == TransactionState.PREPARE_COMMIT
                        || state.state() == TransactionState.PREPARE_ABORT) {
                    throw Errors.CONCURRENT_TRANSACTIONS.exception();
                }
                Map<TopicPartition, Errors> outcome = new HashMap<>();
                for (TopicPartition partition : asked) {
                    boolean part = state.topicPartitions().contains(partition);
                    outcome.put(partition, part ? Errors.NONE : Errors.TRANSACTION_ABORTABLE);
                }
                answer.complete(outcome);
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    private static void checkProducer(TransactionMetadata state, long producerId, short producerEpoch) {
        if (state.producerId() != producerId) {
            throw Errors.INVALID_PRODUCER_ID_MAPPING.exception();
        }
        if (state.producerEpoch() != producerEpoch) {
            throw Errors.PRODUCER_FENCED.exception();
        }
    }

    // ---- how it ends

    /** The identity that the producer goes on with; to clients before transaction version 2 only the error matters. */
    public CompletionStage<Identity> endTransaction(
            String transactionalId, long producerId, short producerEpoch, boolean commit, TransactionVersion version) {
        return run(
                Identity::failed,
                answer -> end(
                        transactionalId,
                        EndRules.Request.ofClient(producerId, producerEpoch, commit, version),
                        answer));
    }

    private void end(String transactionalId, EndRules.Request request, CompletableFuture<Identity> answer) {
        LogPartition partition = partitions.of(transactionalId);
        Transaction transaction = known(partition, transactionalId);
        TransactionMetadata state = transaction.state();
        EndRules.Decision decision = EndRules.decide(state, request);
        if (decision.error() != Errors.NONE) {
            answer.complete(Identity.failed(decision.error()));
        } else if (decision.isDone()) {
            answer.complete(new Identity(Errors.NONE, state.producerId(), state.producerEpoch()));
        } else if (EndRules.needsProducerId(state, request)) {
            withProducerId(answer, id -> {
                LogPartition now = partitions.of(transactionalId);
                Transaction same = known(now, transactionalId);
                EndRules.Decision again = EndRules.decide(same.state(), request);
                if (again.error() != Errors.NONE || again.isDone()) {
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
        boolean fencing = EndRules.isFencing(state);
        if (fencing) {
            state.pendingState(Optional.empty());
            state.setProducerEpoch(request.producerEpoch());
            state.setLastProducerEpoch(RecordBatch.NO_PRODUCER_EPOCH);
        }
        TxnTransitMetadata next = state.prepareAbortOrCommit(
                decision.next(), request.version(), nextProducerId, loop.wallClockMs(), decision.nothingAdded());
        transit(partition, transaction, next, error -> {
            if (error == Errors.NONE) {
                TxnTransitMetadata completed = complete(partition, transaction);
                answer.complete(new Identity(Errors.NONE, completed.producerId(), completed.producerEpoch()));
            } else {
                if (fencing) {
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
        TxnTransitMetadata next = state.prepareComplete(loop.wallClockMs());
        markers.deliver(ending, partition::holds, () -> finish(partition, transaction, next));
        return next;
    }

    private void finish(LogPartition partition, Transaction transaction, TxnTransitMetadata next) {
        partition.append(transaction.state().transactionalId(), next, error -> {
            if (error == Errors.NONE) {
                transaction.state().completeTransitionTo(next);
                transaction.transitionOver();
            } else if (partition.holds()) {
                loop.schedule(() -> finish(partition, transaction, next), RETRY_MS);
            }
        });
    }

    /** Aborts what is under way, with an epoch that shuts out its producer. */
    private void fence(Transaction transaction) {
        TransactionMetadata state = transaction.state();
        TxnTransitMetadata fenced = state.prepareFenceProducerEpoch();
        EndRules.Request abort =
                EndRules.Request.toFence(fenced.producerId(), fenced.producerEpoch(), state.clientTransactionVersion());
        CompletableFuture<Identity> aborted = new CompletableFuture<>();
        var unused = aborted.whenComplete((identity, failure) -> {
            if (failure != null || identity.error() != Errors.NONE) {
                LOG.info(
                        "Transaction {} could not be aborted now: {}",
                        state.transactionalId(),
                        failure == null ? identity.error() : failure);
            }
        });
        guarded(aborted, Identity::failed, () -> end(state.transactionalId(), abort, aborted));
    }

    // ---- upkeep

    /** A log was loaded: what its last coordinator had decided is carried out. */
    void loaded(LogPartition partition) {
        for (Transaction transaction : partition.transactions().values()) {
            TransactionState at = transaction.state().state();
            if (at == TransactionState.PREPARE_COMMIT || at == TransactionState.PREPARE_ABORT) {
                var unused = complete(partition, transaction);
            }
        }
    }

    void abortTimedOut() {
        long nowMs = loop.wallClockMs();
        for (LogPartition partition : partitions.loaded()) {
            for (Transaction transaction : List.copyOf(partition.transactions().values())) {
                TransactionMetadata state = transaction.state();
                if (state.state() == TransactionState.ONGOING
                        && !state.pendingTransitionInProgress()
                        && state.txnStartTimestamp() + state.txnTimeoutMs() < nowMs) {
                    LOG.info(
                            "Transaction {} of producer {} is aborted: it took longer than {} ms",
                            state.transactionalId(),
                            state.producerId(),
                            state.txnTimeoutMs());
                    fence(transaction);
                }
            }
        }
    }

    void forgetExpired() {
        long nowMs = loop.wallClockMs();
        for (LogPartition partition : partitions.loaded()) {
            for (Transaction transaction : List.copyOf(partition.transactions().values())) {
                TransactionMetadata state = transaction.state();
                if (state.state().isExpirationAllowed()
                        && !state.pendingTransitionInProgress()
                        && state.txnLastUpdateTimestamp() + settings.idExpirationMs() <= nowMs) {
                    state.prepareDead();
                    partition.appendTombstone(state.transactionalId(), error -> {
                        state.pendingState(Optional.empty());
                        if (error == Errors.NONE) {
                            partition.transactions().remove(state.transactionalId());
                        }
                        transaction.transitionOver();
                    });
                }
            }
        }
    }

    // ---- for administrators

    /** What is known of an id; fails with TRANSACTIONAL_ID_NOT_FOUND and the errors of a coordinator that is not this one. */
    public CompletionStage<TransactionDescription> describe(String transactionalId) {
        CompletableFuture<TransactionDescription> answer = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                Transaction transaction =
                        partitions.of(transactionalId).transactions().get(transactionalId);
                if (transaction == null || transaction.state().state() == TransactionState.DEAD) {
                    throw Errors.TRANSACTIONAL_ID_NOT_FOUND.exception();
                }
                answer.complete(TransactionDescription.of(transaction.state()));
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    /** All of this node. Fails with COORDINATOR_LOAD_IN_PROGRESS while some are being loaded. */
    public CompletionStage<List<TransactionDescription>> list() {
        CompletableFuture<List<TransactionDescription>> answer = new CompletableFuture<>();
        loop.execute(() -> {
            if (partitions.isLoading()) {
                answer.completeExceptionally(Errors.COORDINATOR_LOAD_IN_PROGRESS.exception());
                return;
            }
            answer.complete(partitions.loaded().stream()
                    .flatMap(partition -> partition.transactions().values().stream())
                    .map(Transaction::state)
                    .filter(state -> state.state() != TransactionState.DEAD)
                    .map(TransactionDescription::of)
                    .toList());
        });
        return answer;
    }

    // ---- steps

    private static Transaction known(LogPartition partition, String transactionalId) {
        Transaction transaction = partition.transactions().get(transactionalId);
        if (transaction == null) {
            throw Errors.INVALID_PRODUCER_ID_MAPPING.exception();
        }
        return transaction;
    }

    /** Writes the prepared transition; the state takes it when it is acknowledged, and drops it when it was not written. */
    private static void transit(
            LogPartition partition, Transaction transaction, TxnTransitMetadata next, Consumer<Errors> done) {
        partition.append(transaction.state().transactionalId(), next, error -> {
            if (error == Errors.NONE) {
                transaction.state().completeTransitionTo(next);
            } else {
                transaction.state().pendingState(Optional.empty());
            }
            done.accept(error);
            transaction.transitionOver();
        });
    }

    private <T> CompletionStage<T> run(Function<Errors, T> failed, Consumer<CompletableFuture<T>> operation) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(() -> guarded(answer, failed, () -> operation.accept(answer)));
        return answer;
    }

    private static <T> void guarded(CompletableFuture<T> answer, Function<Errors, T> failed, Runnable step) {
        try {
            step.run();
        } catch (ApiException e) {
            answer.complete(failed.apply(Errors.forException(e)));
        } catch (RuntimeException e) {
            LOG.error("A step of the transaction coordinator failed", e);
            answer.complete(failed.apply(Errors.UNKNOWN_SERVER_ERROR));
        }
    }

    /** The ids may have to be fetched first. */
    private void withProducerId(CompletableFuture<Identity> answer, LongConsumer step) {
        var unused = producerIds
                .get()
                .whenComplete((id, failure) -> loop.execute(() -> {
                    if (id == null) {
                        answer.complete(Identity.failed(Errors.forException(failure)));
                    } else {
                        guarded(answer, Identity::failed, () -> step.accept(id));
                    }
                }));
    }
}
