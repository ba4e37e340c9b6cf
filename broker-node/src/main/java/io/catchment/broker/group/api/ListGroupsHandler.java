package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ListGroupsRequest;
import org.apache.kafka.common.requests.ListGroupsResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** The groups whose coordinator is this node, by state and type. */
final class ListGroupsHandler implements ApiHandler {
    private final GroupCoordinator coordinator;

    ListGroupsHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LIST_GROUPS;
    }

    @Override
    public void handle(Request request) {
        ListGroupsRequest body = (ListGroupsRequest) request.body();
        Answer.with(request, coordinator.listGroups(request.context(), body.data()), ListGroupsResponse::new);
    }
}
