package io.catchment.broker.partition;

import io.catchment.broker.batch.BatchHeader;
import io.netty.util.ReferenceCounted;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.jspecify.annotations.Nullable;

/**
 * Batches of transactions of which this partition is not known to be part yet (KIP-890). They wait, in their order, until the coordinator has
 * answered for the first of them. Owned by the partition's event loop; how many wait is bounded by the memory for requests.
 */
final class Unverified {
    private static final int ATTEMPTS_MAX = 5;

    private final Partition partition;
    private final ProducerStates producers;
    private final TransactionVerifier verifier;
    private final Map<Long, ArrayDeque<Batch>> byProducer = new HashMap<>();

    /** One client's batch; {@code owner} is retained while it waits. */
    record Batch(
            ByteBuffer bytes,
            ReferenceCounted owner,
            TransactionVerifier.Use use,
            @Nullable AppendCompletion completion,
            int slot,
            long nowMs) {
        long producerId() {
            return BatchHeader.producerId(bytes, bytes.position());
        }

        short epoch() {
            return BatchHeader.producerEpoch(bytes, bytes.position());
        }

        /** What is said of the one goes for the other. */
        boolean isOfTransaction(Batch other) {
            return epoch() == other.epoch() && use.equals(other.use());
        }

        int sequence() {
            return BatchHeader.baseSequence(bytes, bytes.position());
        }
    }

    Unverified(Partition partition, ProducerStates producers, TransactionVerifier verifier) {
        this.partition = partition;
        this.producers = producers;
        this.verifier = verifier;
    }

    void append(Batch batch) {
        ArrayDeque<Batch> before = byProducer.get(batch.producerId());
        if (before != null) {
            batch.owner().retain();
            before.add(batch);
        } else if (producers.hasTransaction(batch.producerId(), batch.epoch())
                || producers.duplicateOf(batch.bytes(), batch.bytes().position()) != null) {
            partition.append(batch, VerificationGuard.SENTINEL);
        } else {
            batch.owner().retain();
            ArrayDeque<Batch> waiting = new ArrayDeque<>(List.of(batch));
            byProducer.put(batch.producerId(), waiting);
            var unused = verify(batch.use(), batch.producerId(), batch.sequence(), batch.epoch())
                    .whenComplete((outcome, failure) ->
                            partition.loop().eventLoop().execute(() -> verified(batch.producerId(), outcome)));
        }
    }

    /** What came of a verification: a guard, or an error for the client. */
    record Outcome(VerificationGuard guard, Errors error) {}

    /** On the event loop; so completes the stage. */
    CompletionStage<Outcome> verify(TransactionVerifier.Use use, long producerId, int sequence, short epoch) {
        return verify(use, producerId, sequence, epoch, 1);
    }

    private CompletionStage<Outcome> verify(
            TransactionVerifier.Use use, long producerId, int sequence, short epoch, int attempt) {
        if (producers.hasTransaction(producerId, epoch)) {
            return CompletableFuture.completedFuture(new Outcome(VerificationGuard.SENTINEL, Errors.NONE));
        }
        VerificationGuard guard;
        try {
            guard = producers.beginVerification(producerId, sequence, epoch, use.epochRises());
        } catch (ApiException e) {
            return CompletableFuture.completedFuture(new Outcome(VerificationGuard.SENTINEL, Errors.forException(e)));
        }
        return verifier.verify(use, producerId, epoch, partition.topicPartition())
                .thenComposeAsync(
                        error -> {
                            // The marker of the transaction before may have come meanwhile: it voids every guard.
                            boolean voided = error == Errors.NONE && !producers.isVerified(producerId, guard);
                            return voided && attempt < ATTEMPTS_MAX
                                    ? verify(use, producerId, sequence, epoch, attempt + 1)
                                    : CompletableFuture.completedFuture(new Outcome(guard, error));
                        },
                        partition.loop().eventLoop());
    }

    private void verified(long producerId, @Nullable Outcome found) {
        ArrayDeque<Batch> waiting = byProducer.remove(producerId);
        if (waiting == null) {
            return;
        }
        Outcome outcome = found == null ? new Outcome(VerificationGuard.SENTINEL, Errors.UNKNOWN_SERVER_ERROR) : found;
        Batch asked = waiting.getFirst();
        boolean first = true;
        for (Batch batch : waiting) {
            try {
                boolean refused = outcome.error() != Errors.NONE;
                if (refused && batch.isOfTransaction(asked)) {
                    refuse(batch, outcome.error());
                } else if (first && !refused) {
                    partition.append(batch, outcome.guard());
                } else {
                    // Of another epoch after a refusal: a zombie takes nobody with it.
                    append(batch);
                }
                first = false;
            } finally {
                batch.owner().release();
            }
        }
    }

    private void refuse(Batch batch, Errors error) {
        AppendCompletion completion = batch.completion();
        if (completion != null) {
            completion.failed(
                    batch.slot(),
                    error,
                    "the partition could not be made part of the transaction: " + error.message(),
                    List.of(),
                    partition.logStartOffset());
        }
    }
}
