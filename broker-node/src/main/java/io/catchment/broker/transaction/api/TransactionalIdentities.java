package io.catchment.broker.transaction.api;

import io.catchment.broker.producerid.InitProducerIdHandler;
import io.catchment.broker.transaction.TransactionCoordinator;
import io.catchment.broker.transaction.TransactionCoordinator.Expected;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.record.internal.RecordBatch;

/** InitProducerId with a transactional id. Immutable. */
public final class TransactionalIdentities implements InitProducerIdHandler.Transactional {
    private final TransactionCoordinator coordinator;

    public TransactionalIdentities(TransactionCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public CompletionStage<InitProducerIdResponseData> identify(InitProducerIdRequestData request) {
        Optional<Expected> expected = request.producerId() == RecordBatch.NO_PRODUCER_ID
                ? Optional.empty()
                : Optional.of(new Expected(request.producerId(), request.producerEpoch()));
        return coordinator
                .initProducerId(request.transactionalId(), request.transactionTimeoutMs(), expected)
                .thenApply(identity -> new InitProducerIdResponseData()
                        .setErrorCode(identity.error().code())
                        .setProducerId(identity.producerId())
                        .setProducerEpoch(identity.producerEpoch()));
    }
}
