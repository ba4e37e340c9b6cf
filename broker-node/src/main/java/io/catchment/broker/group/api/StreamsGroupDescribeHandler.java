package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.message.StreamsGroupDescribeRequestData;
import org.apache.kafka.common.message.StreamsGroupDescribeResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.StreamsGroupDescribeRequest;
import org.apache.kafka.common.requests.StreamsGroupDescribeResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** Members, tasks, topology and state of groups of the streams protocol (KIP-1071). */
final class StreamsGroupDescribeHandler implements ApiHandler {
    private final GroupCoordinator coordinator;

    StreamsGroupDescribeHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.STREAMS_GROUP_DESCRIBE;
    }

    @Override
    public void handle(Request request) {
        StreamsGroupDescribeRequestData data = ((StreamsGroupDescribeRequest) request.body()).data();
        Answer.with(
                request,
                coordinator.streamsGroupDescribe(request.context(), data.groupIds(), data.includeTopologyDescription()),
                groups -> {
                    if (data.includeAuthorizedOperations()) {
                        groups.stream()
                                .filter(group -> group.errorCode() == Errors.NONE.code())
                                .forEach(group -> group.setAuthorizedOperations(GroupOperations.ALL));
                    }
                    return new StreamsGroupDescribeResponse(new StreamsGroupDescribeResponseData().setGroups(groups));
                });
    }
}
