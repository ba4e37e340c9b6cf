package io.catchment.broker.clientadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ControlPlane;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.DescribeClientQuotasRequest;
import org.apache.kafka.common.requests.DescribeClientQuotasResponse;

/** DescribeClientQuotas (KIP-546): Kafka's own image answers. */
public final class DescribeClientQuotasHandler implements ApiHandler {
    private final ControlPlane controlPlane;

    public DescribeClientQuotasHandler(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_CLIENT_QUOTAS;
    }

    @Override
    public void handle(Request request) {
        DescribeClientQuotasRequest body = (DescribeClientQuotasRequest) request.body();
        request.respond(new DescribeClientQuotasResponse(
                controlPlane.image().metadata().clientQuotas().describe(body.data())));
    }
}
