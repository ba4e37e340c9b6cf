package io.catchment.broker.clientadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ControlPlane;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.DescribeUserScramCredentialsRequest;
import org.apache.kafka.common.requests.DescribeUserScramCredentialsResponse;

/** DescribeUserScramCredentials (KIP-554): who has a password, by which mechanism; Kafka's own image answers. */
public final class DescribeUserScramCredentialsHandler implements ApiHandler {
    private final ControlPlane controlPlane;

    public DescribeUserScramCredentialsHandler(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_USER_SCRAM_CREDENTIALS;
    }

    @Override
    public void handle(Request request) {
        DescribeUserScramCredentialsRequest body = (DescribeUserScramCredentialsRequest) request.body();
        request.respond(new DescribeUserScramCredentialsResponse(
                controlPlane.image().metadata().scram().describe(body.data())));
    }
}
