package io.catchment.broker.group.api;

import io.catchment.broker.group.OffsetsTopic;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** The table of group APIs. */
public final class GroupApis {
    private GroupApis() {}

    /**
     * @param transactions the coordinator of a transactional id, by id and listener; empty when nobody coordinates it yet
     * @param shareStates the same of a share partition, by its key
     */
    public static List<ApiHandler> handlers(
            GroupCoordinator coordinator,
            OffsetsTopic offsetsTopic,
            BiFunction<String, String, Optional<Node>> transactions,
            StreamsTopics streamsTopics,
            BiFunction<String, String, Optional<Node>> shareStates,
            Supplier<ClusterImage> image) {
        return List.of(
                new FindCoordinatorHandler(offsetsTopic, transactions, shareStates),
                new JoinGroupHandler(coordinator),
                new SyncGroupHandler(coordinator),
                new HeartbeatHandler(coordinator),
                new LeaveGroupHandler(coordinator),
                new OffsetCommitHandler(coordinator, image),
                new OffsetFetchHandler(coordinator, image),
                new OffsetDeleteHandler(coordinator, image),
                new ListGroupsHandler(coordinator),
                new DescribeGroupsHandler(coordinator),
                new DeleteGroupsHandler(coordinator),
                new ConsumerGroupHeartbeatHandler(coordinator),
                new ConsumerGroupDescribeHandler(coordinator),
                new StreamsGroupHeartbeatHandler(coordinator, streamsTopics),
                new StreamsGroupDescribeHandler(coordinator),
                new ShareGroupHeartbeatHandler(coordinator),
                new ShareGroupDescribeHandler(coordinator),
                new DescribeShareGroupOffsetsHandler(coordinator),
                new AlterShareGroupOffsetsHandler(coordinator, image),
                new DeleteShareGroupOffsetsHandler(coordinator));
    }
}
