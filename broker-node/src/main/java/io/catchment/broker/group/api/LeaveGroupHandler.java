package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.LeaveGroupRequest;
import org.apache.kafka.common.requests.LeaveGroupResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** Classic protocol: one member (old versions) or several leave. */
final class LeaveGroupHandler implements ApiHandler {
    private final GroupCoordinator coordinator;

    LeaveGroupHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LEAVE_GROUP;
    }

    @Override
    public void handle(Request request) {
        LeaveGroupRequest body = (LeaveGroupRequest) request.body();
        short version = request.header().apiVersion();
        Answer.with(
                request,
                coordinator.leaveGroup(request.context(), body.normalizedData()),
                data -> new LeaveGroupResponse(data, version));
    }
}
