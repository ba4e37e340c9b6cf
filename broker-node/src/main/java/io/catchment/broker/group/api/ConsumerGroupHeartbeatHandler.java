package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ConsumerGroupHeartbeatRequest;
import org.apache.kafka.common.requests.ConsumerGroupHeartbeatResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** Consumer protocol (KIP-848): join, subscribe, acknowledge and leave in one call. */
final class ConsumerGroupHeartbeatHandler implements ApiHandler {
    private final GroupCoordinator coordinator;

    ConsumerGroupHeartbeatHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.CONSUMER_GROUP_HEARTBEAT;
    }

    @Override
    public void handle(Request request) {
        ConsumerGroupHeartbeatRequest body = (ConsumerGroupHeartbeatRequest) request.body();
        Answer.with(
                request,
                coordinator.consumerGroupHeartbeat(request.context(), body.data()),
                ConsumerGroupHeartbeatResponse::new);
    }
}
