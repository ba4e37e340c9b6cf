package io.catchment.broker.group;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.request.ApiHandler;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.IntFunction;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.ShareGroupDescribeRequestData;
import org.apache.kafka.common.message.ShareGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupDescribeRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.AlterShareGroupOffsetsRequest;
import org.apache.kafka.common.requests.ConsumerGroupDescribeRequest;
import org.apache.kafka.common.requests.ConsumerGroupHeartbeatRequest;
import org.apache.kafka.common.requests.DeleteGroupsRequest;
import org.apache.kafka.common.requests.DeleteShareGroupOffsetsRequest;
import org.apache.kafka.common.requests.DescribeGroupsRequest;
import org.apache.kafka.common.requests.DescribeShareGroupOffsetsRequest;
import org.apache.kafka.common.requests.FindCoordinatorRequest;
import org.apache.kafka.common.requests.HeartbeatRequest;
import org.apache.kafka.common.requests.JoinGroupRequest;
import org.apache.kafka.common.requests.LeaveGroupRequest;
import org.apache.kafka.common.requests.ListGroupsRequest;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.apache.kafka.common.requests.OffsetDeleteRequest;
import org.apache.kafka.common.requests.OffsetFetchRequest;
import org.apache.kafka.common.requests.ShareGroupDescribeRequest;
import org.apache.kafka.common.requests.ShareGroupHeartbeatRequest;
import org.apache.kafka.common.requests.StreamsGroupDescribeRequest;
import org.apache.kafka.common.requests.StreamsGroupHeartbeatRequest;
import org.apache.kafka.common.requests.SyncGroupRequest;
import org.junit.jupiter.api.Test;

/** Each API at each version it has in kafka-clients: answered, and with an answer that can be written at that version. */
class EveryVersionTest {
    private final Map<ApiKeys, IntFunction<AbstractRequest>> requests = new EnumMap<>(ApiKeys.class);

    @Test
    void everyApiAnswersAtEveryVersion() {
        try (GroupFixture node = GroupFixture.running()) {
            Uuid topic = node.createTopic("readings", 2);
            new GroupClient(node).commit("g", "readings", 0, 1);
            fill(topic);
            assertThat(node.handlers().keySet()).isEqualTo(requests.keySet());
            for (ApiHandler handler : node.handlers().values()) {
                ApiKeys api = handler.api();
                for (short version = api.oldestVersion(); version <= api.latestVersion(); version++) {
                    AbstractResponse answer = node.call(AbstractResponse.class, requestOf(api, version));
                    assertThat(answer.apiKey()).isEqualTo(api);
                    assertThat(answer.errorCounts().keySet())
                            .as("%s v%d: %s", api, version, answer)
                            .isSubsetOf(expected(api, version));
                }
            }
        }
    }

    @Test
    void everyApiAnswersAtEveryVersionWhileThereIsNoCoordinator() {
        try (GroupFixture node = GroupFixture.notStarted(Map.of())) {
            fill(node.createTopic("readings", 2));
            for (ApiHandler handler : node.handlers().values()) {
                ApiKeys api = handler.api();
                for (short version = api.oldestVersion(); version <= api.latestVersion(); version++) {
                    AbstractResponse answer = node.call(AbstractResponse.class, requestOf(api, version));
                    assertThat(answer.errorCounts().keySet())
                            .as("%s v%d: %s", api, version, answer)
                            .containsExactly(Errors.COORDINATOR_NOT_AVAILABLE);
                }
            }
        }
    }

    private static Set<Errors> expected(ApiKeys api, int version) {
        return switch (api) {
            case JOIN_GROUP -> version >= 4 ? Set.of(Errors.MEMBER_ID_REQUIRED) : Set.of(Errors.NONE);
            case SYNC_GROUP, HEARTBEAT -> Set.of(Errors.UNKNOWN_MEMBER_ID);
            case LEAVE_GROUP ->
                version >= 3 ? Set.of(Errors.NONE, Errors.UNKNOWN_MEMBER_ID) : Set.of(Errors.UNKNOWN_MEMBER_ID);
            case DELETE_GROUPS,
                    CONSUMER_GROUP_DESCRIBE,
                    SHARE_GROUP_DESCRIBE,
                    STREAMS_GROUP_DESCRIBE,
                    DELETE_SHARE_GROUP_OFFSETS -> Set.of(Errors.GROUP_ID_NOT_FOUND);
            default -> Set.of(Errors.NONE);
        };
    }

    private void fill(Uuid topic) {
        request(ApiKeys.FIND_COORDINATOR, version -> new FindCoordinatorRequest.Builder(
                        version < 4
                                ? new FindCoordinatorRequestData().setKey("g")
                                : new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g")))
                .build((short) version));
        request(ApiKeys.JOIN_GROUP, version -> new JoinGroupRequest.Builder(new JoinGroupRequestData()
                        .setGroupId("joined-" + version)
                        .setSessionTimeoutMs(10_000)
                        .setRebalanceTimeoutMs(10_000)
                        .setProtocolType("consumer")
                        .setProtocols(new JoinGroupRequestData.JoinGroupRequestProtocolCollection(
                                List.of(new JoinGroupRequestData.JoinGroupRequestProtocol()
                                                .setName("range")
                                                .setMetadata(new byte[0]))
                                        .iterator())))
                .build((short) version));
        request(ApiKeys.SYNC_GROUP, version -> new SyncGroupRequest.Builder(new SyncGroupRequestData()
                        .setGroupId("g")
                        .setMemberId("m")
                        .setGenerationId(1)
                        .setProtocolType("consumer")
                        .setProtocolName("range"))
                .build((short) version));
        request(ApiKeys.HEARTBEAT, version -> new HeartbeatRequest.Builder(
                        new HeartbeatRequestData().setGroupId("g").setMemberId("m"))
                .build((short) version));
        request(ApiKeys.LEAVE_GROUP, version -> new LeaveGroupRequest.Builder(
                        "g", List.of(new MemberIdentity().setMemberId("m")))
                .build((short) version));
        request(ApiKeys.OFFSET_COMMIT, version -> OffsetCommitRequest.Builder.forTopicIdsOrNames(GroupClient.commitOf(
                        "g", new OffsetCommitRequestTopic().setName("readings").setTopicId(topic), 1, version))
                .build((short) version));
        request(ApiKeys.OFFSET_FETCH, version -> OffsetFetchRequest.Builder.forTopicIdsOrNames(
                        new OffsetFetchRequestData()
                                .setGroups(List.of(new OffsetFetchRequestGroup()
                                        .setGroupId("g")
                                        .setTopics(List.of(new OffsetFetchRequestTopics()
                                                .setName("readings")
                                                .setTopicId(topic)
                                                .setPartitionIndexes(List.of(0)))))),
                        false)
                .build((short) version));
        OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection deleted =
                new OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection();
        deleted.add(new OffsetDeleteRequestData.OffsetDeleteRequestTopic()
                .setName("readings")
                .setPartitions(
                        List.of(new OffsetDeleteRequestData.OffsetDeleteRequestPartition().setPartitionIndex(0))));
        request(ApiKeys.OFFSET_DELETE, version -> new OffsetDeleteRequest.Builder(
                        new OffsetDeleteRequestData().setGroupId("g").setTopics(deleted))
                .build((short) version));
        request(ApiKeys.LIST_GROUPS, version -> new ListGroupsRequest.Builder(new ListGroupsRequestData())
                .build((short) version));
        request(ApiKeys.DESCRIBE_GROUPS, version -> new DescribeGroupsRequest.Builder(
                        new DescribeGroupsRequestData().setGroups(List.of("g")))
                .build((short) version));
        request(ApiKeys.DELETE_GROUPS, version -> new DeleteGroupsRequest.Builder(
                        new DeleteGroupsRequestData().setGroupsNames(List.of("nobody")))
                .build((short) version));
        request(ApiKeys.CONSUMER_GROUP_HEARTBEAT, version -> new ConsumerGroupHeartbeatRequest.Builder(
                        new ConsumerGroupHeartbeatRequestData()
                                .setGroupId("beating-" + version)
                                .setMemberId(Uuid.randomUuid().toString())
                                .setRebalanceTimeoutMs(10_000)
                                .setSubscribedTopicNames(List.of("readings"))
                                .setTopicPartitions(List.of()))
                .build((short) version));
        request(ApiKeys.CONSUMER_GROUP_DESCRIBE, version -> new ConsumerGroupDescribeRequest.Builder(
                        new ConsumerGroupDescribeRequestData().setGroupIds(List.of("nobody")))
                .build((short) version));
        fillShareGroups();
        fillStreamsGroups();
    }

    private void fillStreamsGroups() {
        request(ApiKeys.STREAMS_GROUP_HEARTBEAT, version -> new StreamsGroupHeartbeatRequest.Builder(
                        new StreamsGroupHeartbeatRequestData()
                                .setGroupId("streaming-" + version)
                                .setMemberId(Uuid.randomUuid().toString())
                                .setRebalanceTimeoutMs(10_000)
                                .setProcessId("process")
                                .setActiveTasks(List.of())
                                .setStandbyTasks(List.of())
                                .setWarmupTasks(List.of())
                                .setClientTags(List.of())
                                .setTopology(new StreamsGroupHeartbeatRequestData.Topology()
                                        .setEpoch(0)
                                        .setSubtopologies(List.of(new StreamsGroupHeartbeatRequestData.Subtopology()
                                                .setSubtopologyId("0")
                                                .setSourceTopics(List.of("readings"))))))
                .build((short) version));
        request(ApiKeys.STREAMS_GROUP_DESCRIBE, version -> new StreamsGroupDescribeRequest.Builder(
                        new StreamsGroupDescribeRequestData().setGroupIds(List.of("nobody")))
                .build((short) version));
    }

    private void fillShareGroups() {
        request(ApiKeys.SHARE_GROUP_HEARTBEAT, version -> new ShareGroupHeartbeatRequest.Builder(
                        new ShareGroupHeartbeatRequestData()
                                .setGroupId("sharing-" + version)
                                .setMemberId(Uuid.randomUuid().toString())
                                .setSubscribedTopicNames(List.of("readings")))
                .build((short) version));
        request(ApiKeys.SHARE_GROUP_DESCRIBE, version -> new ShareGroupDescribeRequest.Builder(
                        new ShareGroupDescribeRequestData().setGroupIds(List.of("nobody")))
                .build((short) version));
        request(ApiKeys.DESCRIBE_SHARE_GROUP_OFFSETS, version -> new DescribeShareGroupOffsetsRequest.Builder(
                        new DescribeShareGroupOffsetsRequestData()
                                .setGroups(List.of(
                                        new DescribeShareGroupOffsetsRequestData.DescribeShareGroupOffsetsRequestGroup()
                                                .setGroupId("nobody")
                                                .setTopics(null))))
                .build((short) version));
        AlterShareGroupOffsetsRequestData altered = new AlterShareGroupOffsetsRequestData().setGroupId("nobody");
        altered.topics()
                .add(new AlterShareGroupOffsetsRequestData.AlterShareGroupOffsetsRequestTopic()
                        .setTopicName("readings")
                        .setPartitions(List.of(
                                new AlterShareGroupOffsetsRequestData.AlterShareGroupOffsetsRequestPartition())));
        request(ApiKeys.ALTER_SHARE_GROUP_OFFSETS, version -> new AlterShareGroupOffsetsRequest.Builder(altered)
                .build((short) version));
        request(ApiKeys.DELETE_SHARE_GROUP_OFFSETS, version -> new DeleteShareGroupOffsetsRequest.Builder(
                        new DeleteShareGroupOffsetsRequestData()
                                .setGroupId("never")
                                .setTopics(List.of(
                                        new DeleteShareGroupOffsetsRequestData.DeleteShareGroupOffsetsRequestTopic()
                                                .setTopicName("readings"))))
                .build((short) version));
    }

    private AbstractRequest requestOf(ApiKeys api, short version) {
        return Objects.requireNonNull(requests.get(api)).apply(version);
    }

    private void request(ApiKeys api, IntFunction<AbstractRequest> request) {
        requests.put(api, request);
    }
}
