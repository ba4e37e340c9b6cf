package io.catchment.broker.quorum;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.CommandErrors;
import io.catchment.broker.topicadmin.Later;
import io.catchment.controlplane.ControlPlane;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;

/** DescribeQuorum (KIP-595, KIP-836) for clients of brokers: asks the active controller, who alone knows how all others stand. */
public final class DescribeQuorumHandler implements ApiHandler {
    private final ControlPlane controlPlane;

    public DescribeQuorumHandler(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_QUORUM;
    }

    @Override
    public void handle(Request request) {
        Later.respond(
                request,
                controlPlane.askController(request.body().serializeWithHeader(request.header())),
                (frame, failure) -> {
                    if (failure != null) {
                        throw CommandErrors.of(failure, Errors.UNKNOWN_SERVER_ERROR, Errors.INVALID_REQUEST)
                                .exception();
                    }
                    return AbstractResponse.parseResponse(frame, request.header());
                });
    }
}
