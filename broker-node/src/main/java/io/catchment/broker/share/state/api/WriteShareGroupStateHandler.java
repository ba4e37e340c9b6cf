package io.catchment.broker.share.state.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.WriteShareGroupStateRequest;
import org.apache.kafka.common.requests.WriteShareGroupStateResponse;
import org.apache.kafka.coordinator.share.ShareCoordinator;

/** The owner of a partition says which records are done with, and how often others were delivered. */
final class WriteShareGroupStateHandler implements ApiHandler {
    private final ShareCoordinator coordinator;

    WriteShareGroupStateHandler(ShareCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.WRITE_SHARE_GROUP_STATE;
    }

    @Override
    public void handle(Request request) {
        WriteShareGroupStateRequest body = (WriteShareGroupStateRequest) request.body();
        WholeRequest.check(body.data().groupId(), body.data().topics(), topic -> topic.partitions());
        Answer.with(request, coordinator.writeState(request.context(), body.data()), WriteShareGroupStateResponse::new);
    }
}
