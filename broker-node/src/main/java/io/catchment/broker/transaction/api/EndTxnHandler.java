package io.catchment.broker.transaction.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.transaction.Identity;
import io.catchment.broker.transaction.TransactionCoordinator;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.EndTxnRequest;
import org.apache.kafka.common.requests.EndTxnResponse;
import org.apache.kafka.server.common.TransactionVersion;

/** EndTxn: commit or abort; from version 5 on the answer names the epoch to go on with (KIP-890). Immutable. */
final class EndTxnHandler implements ApiHandler {
    private static final short FENCED_VERSION = 2;
    private static final short EPOCH_VERSION = 5;

    private final TransactionCoordinator coordinator;

    EndTxnHandler(TransactionCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.END_TXN;
    }

    @Override
    public void handle(Request request) {
        EndTxnRequest body = (EndTxnRequest) request.body();
        EndTxnRequestData data = body.data();
        short version = body.version();
        if (data.transactionalId().isEmpty()) {
            request.respond(response(version, new Identity(Errors.INVALID_REQUEST, -1, (short) -1)));
            return;
        }
        Answering.with(
                request,
                coordinator.endTransaction(
                        data.transactionalId(),
                        data.producerId(),
                        data.producerEpoch(),
                        data.committed(),
                        TransactionVersion.transactionVersionForEndTxn(body)),
                identity -> response(version, identity));
    }

    private static EndTxnResponse response(short version, Identity identity) {
        boolean old = identity.error() == Errors.PRODUCER_FENCED && version < FENCED_VERSION;
        boolean goesOn = identity.error() == Errors.NONE && version >= EPOCH_VERSION;
        return new EndTxnResponse(new EndTxnResponseData()
                .setErrorCode((old ? Errors.INVALID_PRODUCER_EPOCH : identity.error()).code())
                .setProducerId(goesOn ? identity.producerId() : RecordBatch.NO_PRODUCER_ID)
                .setProducerEpoch(goesOn ? identity.producerEpoch() : RecordBatch.NO_PRODUCER_EPOCH));
    }
}
