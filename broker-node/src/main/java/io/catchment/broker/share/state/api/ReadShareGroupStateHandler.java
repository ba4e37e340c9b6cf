package io.catchment.broker.share.state.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ReadShareGroupStateRequest;
import org.apache.kafka.common.requests.ReadShareGroupStateResponse;
import org.apache.kafka.coordinator.share.ShareCoordinator;

/** The owner of a partition begins with what the one before left; older owners are fenced by its leader epoch. */
final class ReadShareGroupStateHandler implements ApiHandler {
    private final ShareCoordinator coordinator;

    ReadShareGroupStateHandler(ShareCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.READ_SHARE_GROUP_STATE;
    }

    @Override
    public void handle(Request request) {
        ReadShareGroupStateRequest body = (ReadShareGroupStateRequest) request.body();
        WholeRequest.check(body.data().groupId(), body.data().topics(), topic -> topic.partitions());
        Answer.with(request, coordinator.readState(request.context(), body.data()), ReadShareGroupStateResponse::new);
    }
}
