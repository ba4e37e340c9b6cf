package io.catchment.broker.group.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.Answer;
import io.catchment.broker.request.ApiHandler;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsRequestData.DescribeShareGroupOffsetsRequestGroup;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsResponseData;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsResponseData.DescribeShareGroupOffsetsResponseGroup;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeShareGroupOffsetsRequest;
import org.apache.kafka.common.requests.DescribeShareGroupOffsetsResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;

/** Where share groups start in their partitions, and how much lies before them. */
final class DescribeShareGroupOffsetsHandler implements ApiHandler {
    private final GroupCoordinator coordinator;

    DescribeShareGroupOffsetsHandler(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_SHARE_GROUP_OFFSETS;
    }

    @Override
    public void handle(Request request) {
        DescribeShareGroupOffsetsRequest body = (DescribeShareGroupOffsetsRequest) request.body();
        List<CompletableFuture<DescribeShareGroupOffsetsResponseGroup>> groups = body.groups().stream()
                .map(group -> describe(request.context(), group).exceptionally(failure -> failed(group, failure)))
                .toList();
        Answer.with(
                request,
                CompletableFuture.allOf(groups.toArray(CompletableFuture<?>[]::new)),
                done -> new DescribeShareGroupOffsetsResponse(new DescribeShareGroupOffsetsResponseData()
                        .setGroups(groups.stream().map(CompletableFuture::join).toList())));
    }

    private CompletableFuture<DescribeShareGroupOffsetsResponseGroup> describe(
            AuthorizableRequestContext context, DescribeShareGroupOffsetsRequestGroup group) {
        if (group.topics() == null) {
            return coordinator.describeShareGroupAllOffsets(context, group);
        }
        if (group.topics().isEmpty()) {
            return CompletableFuture.completedFuture(
                    new DescribeShareGroupOffsetsResponseGroup().setGroupId(group.groupId()));
        }
        return coordinator.describeShareGroupOffsets(context, group);
    }

    private static DescribeShareGroupOffsetsResponseGroup failed(
            DescribeShareGroupOffsetsRequestGroup group, Throwable failure) {
        Errors error = Errors.forException(Answer.cause(failure));
        return new DescribeShareGroupOffsetsResponseGroup()
                .setGroupId(group.groupId())
                .setErrorCode(error.code())
                .setErrorMessage(error.message());
    }
}
