package io.catchment.broker.share.state.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.InitializeShareGroupStateRequest;
import org.apache.kafka.common.requests.InitializeShareGroupStateResponse;
import org.apache.kafka.coordinator.share.ShareCoordinator;

/** A share group begins with a partition at an offset, or begins anew there. */
final class InitializeShareGroupStateHandler implements ApiHandler {
    private final ShareCoordinator coordinator;

    InitializeShareGroupStateHandler(ShareCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.INITIALIZE_SHARE_GROUP_STATE;
    }

    @Override
    public void handle(Request request) {
        InitializeShareGroupStateRequest body = (InitializeShareGroupStateRequest) request.body();
        WholeRequest.check(body.data().groupId(), body.data().topics(), topic -> topic.partitions());
        Answer.with(
                request,
                coordinator.initializeState(request.context(), body.data()),
                InitializeShareGroupStateResponse::new);
    }
}
