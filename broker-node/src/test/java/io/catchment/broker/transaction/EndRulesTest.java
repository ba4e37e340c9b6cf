package io.catchment.broker.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.transaction.EndRules.Decision;
import io.catchment.broker.transaction.EndRules.Request;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;
import org.junit.jupiter.api.Test;

class EndRulesTest {
    private static final long ID = 7;

    @Test
    void anOpenTransactionEndsEitherWay() {
        TransactionMetadata open = state(TransactionState.ONGOING, 4);
        for (TransactionVersion version : TransactionVersion.values()) {
            assertThat(EndRules.decide(open, Request.ofClient(ID, (short) 4, true, version))
                            .to())
                    .contains(TransactionState.PREPARE_COMMIT);
            assertThat(EndRules.decide(open, Request.ofClient(ID, (short) 4, false, version))
                            .to())
                    .contains(TransactionState.PREPARE_ABORT);
        }
    }

    @Test
    void zombiesAndStrangersAreShutOut() {
        TransactionMetadata open = state(TransactionState.ONGOING, 4);
        for (TransactionVersion version : TransactionVersion.values()) {
            assertThat(EndRules.decide(open, Request.ofClient(ID, (short) 3, true, version))
                            .error())
                    .isEqualTo(Errors.PRODUCER_FENCED);
            assertThat(EndRules.decide(open, Request.ofClient(ID + 1, (short) 4, true, version))
                            .error())
                    .isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING);
        }
    }

    @Test
    void aRetryIsAnsweredByTheEpochBeforeTheEnd() {
        TransactionMetadata committed = state(TransactionState.COMPLETE_COMMIT, 5);
        Decision retry = EndRules.decide(committed, Request.ofClient(ID, (short) 4, true, TransactionVersion.TV_2));
        assertThat(retry.isDone()).isTrue();
        assertThat(EndRules.decide(committed, Request.ofClient(ID, (short) 4, false, TransactionVersion.TV_2))
                        .error())
                .isEqualTo(Errors.INVALID_TXN_STATE);
        assertThat(EndRules.decide(
                                state(TransactionState.PREPARE_COMMIT, 5),
                                Request.ofClient(ID, (short) 4, true, TransactionVersion.TV_2))
                        .error())
                .isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
    }

    @Test
    void anAbortWithoutRecordsOnlyRaisesTheEpoch() {
        Decision abort = EndRules.decide(
                state(TransactionState.COMPLETE_COMMIT, 5),
                Request.ofClient(ID, (short) 5, false, TransactionVersion.TV_2));
        assertThat(abort.to()).contains(TransactionState.PREPARE_ABORT);
        assertThat(abort.nothingAdded()).isTrue();
    }

    @Test
    void whileATransitionIsUnderWayOnlyItsOwnFenceGoesOn() {
        TransactionMetadata open = state(TransactionState.ONGOING, 4);
        open.pendingState(Optional.of(TransactionState.ONGOING));
        assertThat(EndRules.decide(open, Request.ofClient(ID, (short) 4, true, TransactionVersion.TV_2))
                        .error())
                .isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        open.pendingState(Optional.of(TransactionState.PREPARE_EPOCH_FENCE));
        assertThat(EndRules.decide(open, Request.toFence(ID, (short) 5, TransactionVersion.TV_2))
                        .to())
                .contains(TransactionState.PREPARE_ABORT);
    }

    private static TransactionMetadata state(TransactionState state, int epoch) {
        return new TransactionMetadata(
                "tx",
                ID,
                -1,
                -1,
                (short) epoch,
                (short) (epoch - 1),
                60_000,
                state,
                Set.of(),
                0,
                0,
                TransactionVersion.TV_2);
    }
}
