package io.catchment.broker.transaction;

import io.catchment.broker.loop.SerialLoop;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;

/**
 * The transactions whose partition of {@code __transaction_state} this node owns: Kafka's transitions, one thread. Each operation looks at the
 * state, prepares a transition, appends it, and goes on when that is acknowledged; meanwhile other operations on the same id are told
 * CONCURRENT_TRANSACTIONS (only more partitions of the transaction under way wait). What is prepared to end is ended, by this or a later
 * coordinator: whoever loads a log sends the markers that are missing.
 *
 * <p>All methods may be called from any thread; the stages complete on the coordinator's thread. Each is answered, after the end of this node's epoch
 * too: its clients would wait for their whole request timeout else, with all that they sent behind it.
 */
public final class TransactionCoordinator {
    private final TransactionSettings settings;
    private final SerialLoop loop;
    private final TransactionPartitions partitions;
    private final Steps steps;
    private final Initialization initialization;
    private final Extension extension;
    private final Ending ending;
    private final Upkeep upkeep;

    TransactionCoordinator(
            TransactionSettings settings,
            SerialLoop loop,
            Supplier<CompletionStage<Long>> producerIds,
            TransactionPartitions partitions,
            MarkerDelivery markers) {
        this.settings = settings;
        this.loop = loop;
        this.partitions = partitions;
        this.steps = new Steps(loop, producerIds, partitions);
        this.ending = new Ending(steps, markers);
        this.initialization = new Initialization(steps, ending);
        this.extension = new Extension(steps);
        this.upkeep = new Upkeep(steps, ending, settings.idExpirationMs());
    }

    /** @param expected what the producer believes to be (KIP-360); empty: it begins anew */
    public CompletionStage<Identity> initProducerId(
            String transactionalId, int timeoutMs, Optional<Expected> expected) {
        if (timeoutMs <= 0 || timeoutMs > settings.timeoutMsMax()) {
            return CompletableFuture.completedFuture(Identity.failed(Errors.INVALID_TRANSACTION_TIMEOUT));
        }
        return steps.run(
                Identity::failed, answer -> initialization.begin(transactionalId, timeoutMs, expected, answer));
    }

    /** Id and epoch by a producer's own account. */
    public record Expected(long producerId, short producerEpoch) {}

    public CompletionStage<Errors> addPartitions(
            String transactionalId,
            long producerId,
            short producerEpoch,
            Collection<TopicPartition> added,
            TransactionVersion version) {
        return steps.run(
                error -> error,
                answer ->
                        extension.add(transactionalId, producerId, producerEpoch, Set.copyOf(added), version, answer));
    }

    /** Whether the partitions are part of the transaction under way: by partition NONE or TRANSACTION_ABORTABLE. Fails with an ApiException. */
    public CompletionStage<Map<TopicPartition, Errors>> verifyPartitions(
            String transactionalId, long producerId, short producerEpoch, Collection<TopicPartition> asked) {
        return ask(() -> extension.verify(transactionalId, producerId, producerEpoch, asked));
    }

    /** The identity that the producer goes on with; to clients before transaction version 2 only the error matters. */
    public CompletionStage<Identity> endTransaction(
            String transactionalId, long producerId, short producerEpoch, boolean commit, TransactionVersion version) {
        return steps.run(
                Identity::failed,
                answer -> ending.end(
                        transactionalId,
                        EndRules.Request.ofClient(producerId, producerEpoch, commit, version),
                        answer));
    }

    /** What is known of an id; fails with TRANSACTIONAL_ID_NOT_FOUND and the errors of a coordinator that is not this one. */
    public CompletionStage<TransactionDescription> describe(String transactionalId) {
        return ask(() -> {
            Transaction transaction =
                    partitions.of(transactionalId).transactions().get(transactionalId);
            if (transaction == null || transaction.state().state() == TransactionState.DEAD) {
                throw Errors.TRANSACTIONAL_ID_NOT_FOUND.exception();
            }
            return TransactionDescription.of(transaction.state());
        });
    }

    /** All of this node. Fails with COORDINATOR_LOAD_IN_PROGRESS while some are being loaded. */
    public CompletionStage<List<TransactionDescription>> list() {
        return ask(() -> {
            if (partitions.isLoading()) {
                throw Errors.COORDINATOR_LOAD_IN_PROGRESS.exception();
            }
            return partitions.loaded().stream()
                    .flatMap(partition -> partition.transactions().values().stream())
                    .map(Transaction::state)
                    .filter(state -> state.state() != TransactionState.DEAD)
                    .map(TransactionDescription::of)
                    .toList();
        });
    }

    private <T> CompletionStage<T> ask(Supplier<T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(
                () -> {
                    try {
                        answer.complete(question.get());
                    } catch (RuntimeException e) {
                        answer.completeExceptionally(e);
                    }
                },
                () -> answer.completeExceptionally(Errors.NOT_COORDINATOR.exception()));
        return answer;
    }

    /** A log was loaded: what its last coordinator had decided is carried out. On the coordinator's thread. */
    void loaded(LogPartition partition) {
        ending.loaded(partition);
    }

    /** On the coordinator's thread. */
    void abortTimedOut() {
        upkeep.abortTimedOut();
    }

    /** On the coordinator's thread. */
    void forgetExpired() {
        upkeep.forgetExpired();
    }
}
