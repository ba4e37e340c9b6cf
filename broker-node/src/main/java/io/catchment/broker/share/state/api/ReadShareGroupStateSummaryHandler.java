package io.catchment.broker.share.state.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ReadShareGroupStateSummaryRequest;
import org.apache.kafka.common.requests.ReadShareGroupStateSummaryResponse;
import org.apache.kafka.coordinator.share.ShareCoordinator;

/** How far a share group has got in a partition. */
final class ReadShareGroupStateSummaryHandler implements ApiHandler {
    private final ShareCoordinator coordinator;

    ReadShareGroupStateSummaryHandler(ShareCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.READ_SHARE_GROUP_STATE_SUMMARY;
    }

    @Override
    public void handle(Request request) {
        ReadShareGroupStateSummaryRequest body = (ReadShareGroupStateSummaryRequest) request.body();
        WholeRequest.check(body.data().groupId(), body.data().topics(), topic -> topic.partitions());
        Answer.with(
                request,
                coordinator.readStateSummary(request.context(), body.data()),
                ReadShareGroupStateSummaryResponse::new);
    }
}
