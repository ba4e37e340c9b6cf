package io.catchment.broker.transaction;

import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What becomes of transactions that nobody ends, and of ids that nobody uses. For the coordinator's thread. */
final class Upkeep {
    private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);

    private final Steps steps;
    private final Ending ending;
    private final long idExpirationMs;

    /** @param idExpirationMs without use, after which an id is forgotten */
    Upkeep(Steps steps, Ending ending, long idExpirationMs) {
        this.steps = steps;
        this.ending = ending;
        this.idExpirationMs = idExpirationMs;
    }

    void abortTimedOut() {
        long nowMs = steps.loop().wallClockMs();
        for (LogPartition partition : steps.partitions().loaded()) {
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
                    ending.fence(transaction);
                }
            }
        }
    }

    void forgetExpired() {
        long nowMs = steps.loop().wallClockMs();
        for (LogPartition partition : steps.partitions().loaded()) {
            for (Transaction transaction : List.copyOf(partition.transactions().values())) {
                TransactionMetadata state = transaction.state();
                if (state.state().isExpirationAllowed()
                        && !state.pendingTransitionInProgress()
                        && state.txnLastUpdateTimestamp() + idExpirationMs <= nowMs) {
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
}
