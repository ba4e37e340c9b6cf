package io.catchment.broker.clientadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/**
 * CreateDelegationToken, RenewDelegationToken, ExpireDelegationToken and DescribeDelegationToken (KIP-48) as Kafka answers them on a PLAINTEXT
 * listener: who is not authenticated can be given no token.
 */
public final class NoDelegationTokensHandler implements ApiHandler {
    private final ApiKeys api;

    public NoDelegationTokensHandler(ApiKeys api) {
        this.api = api;
    }

    @Override
    public ApiKeys api() {
        return api;
    }

    @Override
    public void handle(Request request) {
        throw Errors.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.exception();
    }
}
