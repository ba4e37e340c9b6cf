package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.JoinGroupRequest;
import org.apache.kafka.common.requests.JoinGroupResponse;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** Classic protocol: a member enters or re-enters; the answer waits until the group is complete. */
final class JoinGroupHandler implements ApiHandler {
    private final GroupCoordinator coordinator;

    JoinGroupHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.JOIN_GROUP;
    }

    @Override
    public void handle(Request request) {
        JoinGroupRequest body = (JoinGroupRequest) request.body();
        short version = request.header().apiVersion();
        Answer.with(
                request,
                coordinator.joinGroup(request.context(), body.data(), BufferSupplier.NO_CACHING),
                data -> new JoinGroupResponse(data, version));
    }
}
