package io.catchment.broker.share.state.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.DeleteShareGroupStateRequest;
import org.apache.kafka.common.requests.DeleteShareGroupStateResponse;
import org.apache.kafka.coordinator.share.ShareCoordinator;

/** A share group is done with a partition. */
final class DeleteShareGroupStateHandler implements ApiHandler {
    private final ShareCoordinator coordinator;

    DeleteShareGroupStateHandler(ShareCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DELETE_SHARE_GROUP_STATE;
    }

    @Override
    public void handle(Request request) {
        DeleteShareGroupStateRequest body = (DeleteShareGroupStateRequest) request.body();
        WholeRequest.check(body.data().groupId(), body.data().topics(), topic -> topic.partitions());
        Answer.with(
                request, coordinator.deleteState(request.context(), body.data()), DeleteShareGroupStateResponse::new);
    }
}
