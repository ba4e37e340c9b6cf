package io.catchment.broker.producerid;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.Later;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.InitProducerIdRequest;
import org.apache.kafka.common.requests.InitProducerIdResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * InitProducerId of idempotent producers: a new id with epoch 0, also when the producer names the id it had, since without a
 * transactional id it raises its epoch by itself (KIP-360).
 *
 * <p>Transactions are not there yet. A producer that asks for them fails for good, rather than to retry for ever.
 */
public final class InitProducerIdHandler implements ApiHandler {
    private static final Logger LOG = LoggerFactory.getLogger(InitProducerIdHandler.class);

    private final ProducerIds ids;

    public InitProducerIdHandler(ProducerIds ids) {
        this.ids = ids;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.INIT_PRODUCER_ID;
    }

    @Override
    public void handle(Request request) {
        InitProducerIdRequestData data = ((InitProducerIdRequest) request.body()).data();
        boolean namesId = data.producerId() != RecordBatch.NO_PRODUCER_ID;
        boolean namesEpoch = data.producerEpoch() != RecordBatch.NO_PRODUCER_EPOCH;
        if (namesId != namesEpoch) {
            request.respond(refusal(Errors.INVALID_REQUEST));
        } else if (data.transactionalId() == null) {
            answer(request);
        } else if (data.transactionalId().isEmpty()) {
            request.respond(refusal(Errors.INVALID_REQUEST));
        } else {
            LOG.warn(
                    "Client {} wants transactions (transactional id {}), which this version does not support",
                    request.header().clientId(),
                    data.transactionalId());
            request.respond(refusal(Errors.UNSUPPORTED_VERSION));
        }
    }

    private void answer(Request request) {
        Later.respond(
                request,
                ids.next(),
                (id, failure) -> failure == null
                        ? new InitProducerIdResponse(new InitProducerIdResponseData()
                                .setProducerId(id)
                                .setProducerEpoch((short) 0))
                        : refusal(Errors.forException(failure)));
    }

    private static InitProducerIdResponse refusal(Errors error) {
        return new InitProducerIdResponse(new InitProducerIdResponseData()
                .setErrorCode(error.code())
                .setProducerId(RecordBatch.NO_PRODUCER_ID)
                .setProducerEpoch(RecordBatch.NO_PRODUCER_EPOCH));
    }
}
