package io.catchment.broker.quorum;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.CommandErrors;
import io.catchment.broker.topicadmin.Later;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.UnregisterBrokerRequest;
import org.apache.kafka.common.requests.UnregisterBrokerResponse;

/**
 * UnregisterBroker: a node that is stopped leaves the cluster for good. Unlike Kafka's it is refused, with the reason, while the
 * node lives, owns partitions or has the only copy of records.
 */
public final class UnregisterBrokerHandler implements ApiHandler {
    private final ControlPlane controlPlane;

    public UnregisterBrokerHandler(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.UNREGISTER_BROKER;
    }

    @Override
    public void handle(Request request) {
        int brokerId = ((UnregisterBrokerRequest) request.body()).data().brokerId();
        if (controlPlane.image().node(brokerId).isEmpty()) {
            request.respond(answer(new ApiError(
                    Errors.BROKER_ID_NOT_REGISTERED, "Broker ID " + brokerId + " is not currently registered")));
            return;
        }
        Later.respond(
                request,
                controlPlane.submit(new Command.RemoveNode(brokerId)),
                (done, failure) -> answer(failure == null ? ApiError.NONE : error(failure)));
    }

    private static ApiError error(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        // not worth an automatic retry, which REQUEST_TIMED_OUT would cause: an administrator has to do something first
        return cause instanceof CommandException refused && refused.reason() == Reason.NOT_YET
                ? new ApiError(Errors.INVALID_REQUEST, refused.getMessage())
                : CommandErrors.of(failure, Errors.BROKER_ID_NOT_REGISTERED, Errors.INVALID_REQUEST);
    }

    private static UnregisterBrokerResponse answer(ApiError error) {
        return new UnregisterBrokerResponse(new UnregisterBrokerResponseData()
                .setErrorCode(error.error().code())
                .setErrorMessage(error.message()));
    }
}
