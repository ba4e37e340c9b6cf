package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.SyncGroupRequest;
import org.apache.kafka.common.requests.SyncGroupResponse;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** Classic protocol: the leader hands in the assignment, each member gets its part. */
final class SyncGroupHandler implements ApiHandler {
    private final GroupCoordinator coordinator;

    SyncGroupHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.SYNC_GROUP;
    }

    @Override
    public void handle(Request request) {
        SyncGroupRequest body = (SyncGroupRequest) request.body();
        if (!body.areMandatoryProtocolTypeAndNamePresent()) {
            request.fail(Errors.INCONSISTENT_GROUP_PROTOCOL.exception());
            return;
        }
        Answer.with(
                request,
                coordinator.syncGroup(request.context(), body.data(), BufferSupplier.NO_CACHING),
                SyncGroupResponse::new);
    }
}
