package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ShareGroupHeartbeatRequest;
import org.apache.kafka.common.requests.ShareGroupHeartbeatResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** Share groups (KIP-932): join, subscribe and leave in one call. */
final class ShareGroupHeartbeatHandler implements ApiHandler {
    /** Of a member id, as Kafka has it. */
    private static final int MEMBER_ID_LENGTH_MAX = 36;

    private final GroupCoordinator coordinator;

    ShareGroupHeartbeatHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.SHARE_GROUP_HEARTBEAT;
    }

    @Override
    public void handle(Request request) {
        ShareGroupHeartbeatRequest body = (ShareGroupHeartbeatRequest) request.body();
        String member = body.data().memberId();
        if (member == null || member.isBlank() || member.length() > MEMBER_ID_LENGTH_MAX) {
            request.fail(new InvalidRequestException("Invalid member id in the request."));
            return;
        }
        Answer.with(
                request,
                coordinator.shareGroupHeartbeat(request.context(), body.data()),
                ShareGroupHeartbeatResponse::new);
    }
}
