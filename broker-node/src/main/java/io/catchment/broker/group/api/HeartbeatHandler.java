package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.HeartbeatRequest;
import org.apache.kafka.common.requests.HeartbeatResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** Classic protocol: a member is alive, and learns of rebalances. */
final class HeartbeatHandler implements ApiHandler {
    private final GroupCoordinator coordinator;

    HeartbeatHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.HEARTBEAT;
    }

    @Override
    public void handle(Request request) {
        HeartbeatRequest body = (HeartbeatRequest) request.body();
        Answer.with(request, coordinator.heartbeat(request.context(), body.data()), HeartbeatResponse::new);
    }
}
