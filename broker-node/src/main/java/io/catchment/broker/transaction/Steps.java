package io.catchment.broker.transaction;

import io.catchment.broker.loop.SerialLoop;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.transaction.TxnTransitMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps that each operation on a transaction is made of: it runs on the coordinator's thread, looks the transaction up, may fetch a producer
 * id, and writes a transition. What a step throws is the operation's answer; one that does not come to its turn before the coordinator's end is
 * answered with NOT_COORDINATOR. {@link #run} may be called from any thread, the rest is for the coordinator's.
 */
final class Steps {
    private static final Logger LOG = LoggerFactory.getLogger(Steps.class);

    private final SerialLoop loop;
    private final Supplier<CompletionStage<Long>> producerIds;
    private final TransactionPartitions partitions;

    Steps(SerialLoop loop, Supplier<CompletionStage<Long>> producerIds, TransactionPartitions partitions) {
        this.loop = loop;
        this.producerIds = producerIds;
        this.partitions = partitions;
    }

    SerialLoop loop() {
        return loop;
    }

    TransactionPartitions partitions() {
        return partitions;
    }

    <T> CompletionStage<T> run(Function<Errors, T> failed, Consumer<CompletableFuture<T>> operation) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(
                () -> guarded(answer, failed, () -> operation.accept(answer)),
                () -> answer.complete(failed.apply(Errors.NOT_COORDINATOR)));
        return answer;
    }

    static <T> void guarded(CompletableFuture<T> answer, Function<Errors, T> failed, Runnable step) {
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
    void withProducerId(CompletableFuture<Identity> answer, LongConsumer step) {
        var unused = producerIds
                .get()
                .whenComplete((id, failure) -> loop.execute(
                        () -> {
                            if (id == null) {
                                answer.complete(Identity.failed(Errors.forException(failure)));
                            } else {
                                guarded(answer, Identity::failed, () -> step.accept(id));
                            }
                        },
                        () -> answer.complete(Identity.failed(Errors.NOT_COORDINATOR))));
    }

    static Transaction known(LogPartition partition, String transactionalId) {
        Transaction transaction = partition.transactions().get(transactionalId);
        if (transaction == null) {
            throw Errors.INVALID_PRODUCER_ID_MAPPING.exception();
        }
        return transaction;
    }

    /** Writes the prepared transition; the state takes it when it is acknowledged, and drops it when it was not written. */
    static void transit(
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
}
