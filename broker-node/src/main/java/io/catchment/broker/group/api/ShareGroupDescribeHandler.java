package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.message.ShareGroupDescribeResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ShareGroupDescribeRequest;
import org.apache.kafka.common.requests.ShareGroupDescribeResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** Members, assignments and state of share groups (KIP-932). */
final class ShareGroupDescribeHandler implements ApiHandler {
    private final GroupCoordinator coordinator;

    ShareGroupDescribeHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.SHARE_GROUP_DESCRIBE;
    }

    @Override
    public void handle(Request request) {
        ShareGroupDescribeRequest body = (ShareGroupDescribeRequest) request.body();
        boolean withOperations = body.data().includeAuthorizedOperations();
        Answer.with(
                request,
                coordinator.shareGroupDescribe(request.context(), body.data().groupIds()),
                groups -> {
                    if (withOperations) {
                        groups.stream()
                                .filter(group -> group.errorCode() == Errors.NONE.code())
                                .forEach(group -> group.setAuthorizedOperations(GroupOperations.ALL));
                    }
                    return new ShareGroupDescribeResponse(new ShareGroupDescribeResponseData().setGroups(groups));
                });
    }
}
