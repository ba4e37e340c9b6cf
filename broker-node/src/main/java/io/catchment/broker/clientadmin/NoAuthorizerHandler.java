package io.catchment.broker.clientadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * DescribeAcls, CreateAcls and DeleteAcls as a cluster without an authorizer answers them: an access rule that nobody would obey must not
 * seem to be in force.
 */
public final class NoAuthorizerHandler implements ApiHandler {
    private final ApiKeys api;

    public NoAuthorizerHandler(ApiKeys api) {
        this.api = api;
    }

    @Override
    public ApiKeys api() {
        return api;
    }

    @Override
    public void handle(Request request) {
        throw new SecurityDisabledException(
                api == ApiKeys.DESCRIBE_ACLS
                        ? "No Authorizer is configured on the broker"
                        : "No Authorizer is configured.");
    }
}
