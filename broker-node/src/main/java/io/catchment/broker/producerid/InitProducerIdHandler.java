package io.catchment.broker.producerid;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.Later;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.InitProducerIdRequest;
import org.apache.kafka.common.requests.InitProducerIdResponse;

/**
 * InitProducerId. Idempotent producers get a new id with epoch 0, also when they name the id they had, since without a transactional id they
 * raise its epoch by themselves (KIP-360). Those with a transactional id are its coordinator's. Immutable.
 */
public final class InitProducerIdHandler implements ApiHandler {
    /** Before it clients know no PRODUCER_FENCED. */
    private static final short FENCED_VERSION = 4;

    private final ProducerIds ids;
    private final Transactional transactional;

    /** Identities of transactional producers, by the coordinator of their transactional id. */
    @FunctionalInterface
    public interface Transactional {
        CompletionStage<InitProducerIdResponseData> identify(InitProducerIdRequestData request);
    }

    public InitProducerIdHandler(ProducerIds ids, Transactional transactional) {
        this.ids = ids;
        this.transactional = transactional;
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
        } else if (data.enable2Pc() || data.keepPreparedTxn()) {
            // As of a broker with transaction.two.phase.commit.enable=false
            request.respond(refusal(Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
        } else {
            boolean old = request.header().apiVersion() < FENCED_VERSION;
            Later.respond(
                    request,
                    transactional.identify(data),
                    (identity, failure) -> failure == null
                            ? new InitProducerIdResponse(old ? forOld(identity) : identity)
                            : refusal(Errors.forException(failure)));
        }
    }

    private static InitProducerIdResponseData forOld(InitProducerIdResponseData identity) {
        return identity.errorCode() == Errors.PRODUCER_FENCED.code()
                ? identity.setErrorCode(Errors.INVALID_PRODUCER_EPOCH.code())
                : identity;
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
