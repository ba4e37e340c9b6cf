package io.catchment.broker.transaction;

import java.util.Optional;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;

/**
 * Whether a transaction may end, and how (KIP-98; from transaction version 2 on KIP-890, by which each end raises the epoch: a request that was
 * answered already is known by the epoch before). Pure functions.
 */
final class EndRules {
    private EndRules() {}

    /** @param fromClient false when the coordinator ends it itself, with an epoch it has raised */
    record Request(
            long producerId, short producerEpoch, boolean commit, boolean fromClient, TransactionVersion version) {
        static Request ofClient(long producerId, short producerEpoch, boolean commit, TransactionVersion version) {
            return new Request(producerId, producerEpoch, commit, true, version);
        }

        static Request toFence(long producerId, short producerEpoch, TransactionVersion version) {
            return new Request(producerId, producerEpoch, false, false, version);
        }
    }

    /**
     * @param to empty without an error: it has ended this way already
     * @param nothingAdded there is nothing to end, but the epoch is raised
     */
    record Decision(Errors error, Optional<TransactionState> to, boolean nothingAdded) {
        private static final Decision DONE = new Decision(Errors.NONE, Optional.empty(), false);

        static Decision refused(Errors error) {
            return new Decision(error, Optional.empty(), false);
        }

        static Decision to(TransactionState state, boolean nothingAdded) {
            return new Decision(Errors.NONE, Optional.of(state), nothingAdded);
        }

        boolean isDone() {
            return error == Errors.NONE && to.isEmpty();
        }

        TransactionState next() {
            return to.orElseThrow();
        }
    }

    static boolean isFencing(TransactionMetadata state) {
        return state.pendingState().equals(Optional.of(TransactionState.PREPARE_EPOCH_FENCE));
    }

    /** The epochs of the present id are used up by this end. */
    static boolean needsProducerId(TransactionMetadata state, Request request) {
        return request.version().supportsEpochBump() && state.isProducerEpochExhausted();
    }

    /** A fence that waits for a producer id shuts out everything but itself. */
    private static boolean isOwnFence(TransactionMetadata state, Request request) {
        return !request.fromClient() && isFencing(state);
    }

    static Decision decide(TransactionMetadata state, Request request) {
        return request.version().supportsEpochBump() ? withRisingEpoch(state, request) : withFixedEpoch(state, request);
    }

    private static Decision withFixedEpoch(TransactionMetadata state, Request request) {
        if (state.producerId() != request.producerId()) {
            return Decision.refused(Errors.INVALID_PRODUCER_ID_MAPPING);
        }
        if ((request.fromClient() && request.producerEpoch() != state.producerEpoch())
                || request.producerEpoch() < state.producerEpoch()) {
            return Decision.refused(Errors.PRODUCER_FENCED);
        }
        if (state.pendingTransitionInProgress() && !isOwnFence(state, request)) {
            return Decision.refused(Errors.CONCURRENT_TRANSACTIONS);
        }
        return switch (state.state()) {
            case ONGOING -> Decision.to(prepared(request), false);
            case COMPLETE_COMMIT -> request.commit() ? Decision.DONE : Decision.refused(Errors.INVALID_TXN_STATE);
            case COMPLETE_ABORT -> request.commit() ? Decision.refused(Errors.INVALID_TXN_STATE) : Decision.DONE;
            case PREPARE_COMMIT, PREPARE_ABORT -> underWay(state, request);
            case EMPTY -> Decision.refused(Errors.INVALID_TXN_STATE);
            case DEAD, PREPARE_EPOCH_FENCE -> throw impossible(state);
        };
    }

    private static Decision withRisingEpoch(TransactionMetadata state, Request request) {
        boolean rising =
                !isOwnFence(state, request) && state.clientTransactionVersion().supportsEpochBump();
        boolean overflowed = rising
                && state.prevProducerId() == request.producerId()
                && request.producerEpoch() == Short.MAX_VALUE - 1
                && state.producerEpoch() == 0;
        boolean raised = rising && state.producerEpoch() == request.producerEpoch() + 1;
        if (state.pendingTransitionInProgress() && !isOwnFence(state, request)) {
            return Decision.refused(Errors.CONCURRENT_TRANSACTIONS);
        }
        if (state.producerId() != request.producerId() && !overflowed) {
            return Decision.refused(Errors.INVALID_PRODUCER_ID_MAPPING);
        }
        if (!isEpochOfRequest(state, request, rising, raised, overflowed)) {
            return Decision.refused(Errors.PRODUCER_FENCED);
        }
        boolean answeredBefore = raised || overflowed;
        return switch (state.state()) {
            case ONGOING -> Decision.to(prepared(request), false);
            case COMPLETE_COMMIT -> ended(request, answeredBefore, true);
            case COMPLETE_ABORT -> ended(request, answeredBefore, false);
            case PREPARE_COMMIT, PREPARE_ABORT -> underWay(state, request);
            case EMPTY ->
                request.commit()
                        ? Decision.refused(Errors.INVALID_TXN_STATE)
                        : Decision.to(TransactionState.PREPARE_ABORT, true);
            case DEAD, PREPARE_EPOCH_FENCE -> throw impossible(state);
        };
    }

    private static boolean isEpochOfRequest(
            TransactionMetadata state, Request request, boolean rising, boolean raised, boolean overflowed) {
        boolean same = request.producerEpoch() == state.producerEpoch();
        if (!rising) {
            return request.fromClient() ? same : request.producerEpoch() >= state.producerEpoch();
        }
        return switch (state.state()) {
            case PREPARE_COMMIT, PREPARE_ABORT -> raised;
            case COMPLETE_COMMIT, COMPLETE_ABORT -> raised || overflowed || same;
            case ONGOING, EMPTY, DEAD, PREPARE_EPOCH_FENCE -> same;
        };
    }

    /** A retry wants the same answer; else it is an abort of a transaction that has nothing yet. */
    private static Decision ended(Request request, boolean answeredBefore, boolean committed) {
        if (answeredBefore) {
            return request.commit() == committed ? Decision.DONE : Decision.refused(Errors.INVALID_TXN_STATE);
        }
        return request.commit()
                ? Decision.refused(Errors.INVALID_TXN_STATE)
                : Decision.to(TransactionState.PREPARE_ABORT, true);
    }

    private static Decision underWay(TransactionMetadata state, Request request) {
        return prepared(request) == state.state()
                ? Decision.refused(Errors.CONCURRENT_TRANSACTIONS)
                : Decision.refused(Errors.INVALID_TXN_STATE);
    }

    private static TransactionState prepared(Request request) {
        return request.commit() ? TransactionState.PREPARE_COMMIT : TransactionState.PREPARE_ABORT;
    }

    private static IllegalStateException impossible(TransactionMetadata state) {
        return new IllegalStateException("transaction " + state.transactionalId() + " is " + state.state());
    }
}
