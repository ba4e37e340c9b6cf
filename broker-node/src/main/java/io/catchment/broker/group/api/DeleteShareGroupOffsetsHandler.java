package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.DeleteShareGroupOffsetsRequest;
import org.apache.kafka.common.requests.DeleteShareGroupOffsetsResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** A share group without members forgets topics. */
final class DeleteShareGroupOffsetsHandler implements ApiHandler {
    private final GroupCoordinator coordinator;

    DeleteShareGroupOffsetsHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DELETE_SHARE_GROUP_OFFSETS;
    }

    @Override
    public void handle(Request request) {
        DeleteShareGroupOffsetsRequest body = (DeleteShareGroupOffsetsRequest) request.body();
        Answer.with(
                request,
                coordinator.deleteShareGroupOffsets(request.context(), body.data()),
                DeleteShareGroupOffsetsResponse::new);
    }
}
