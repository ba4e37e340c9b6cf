package io.catchment.broker.group;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponsePartition;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponseTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ConsumerGroupDescribeRequest;
import org.apache.kafka.common.requests.ConsumerGroupDescribeResponse;
import org.apache.kafka.common.requests.ConsumerGroupHeartbeatRequest;
import org.apache.kafka.common.requests.ConsumerGroupHeartbeatResponse;
import org.apache.kafka.common.requests.DeleteGroupsRequest;
import org.apache.kafka.common.requests.DeleteGroupsResponse;
import org.apache.kafka.common.requests.DescribeGroupsRequest;
import org.apache.kafka.common.requests.DescribeGroupsResponse;
import org.apache.kafka.common.requests.HeartbeatRequest;
import org.apache.kafka.common.requests.HeartbeatResponse;
import org.apache.kafka.common.requests.JoinGroupRequest;
import org.apache.kafka.common.requests.JoinGroupResponse;
import org.apache.kafka.common.requests.LeaveGroupRequest;
import org.apache.kafka.common.requests.LeaveGroupResponse;
import org.apache.kafka.common.requests.ListGroupsRequest;
import org.apache.kafka.common.requests.ListGroupsResponse;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.apache.kafka.common.requests.OffsetCommitResponse;
import org.apache.kafka.common.requests.OffsetDeleteRequest;
import org.apache.kafka.common.requests.OffsetDeleteResponse;
import org.apache.kafka.common.requests.OffsetFetchRequest;
import org.apache.kafka.common.requests.OffsetFetchResponse;
import org.apache.kafka.common.requests.SyncGroupRequest;
import org.apache.kafka.common.requests.SyncGroupResponse;

/** The group APIs as calls. Immutable. */
final class GroupClient {
    private final GroupFixture node;

    GroupClient(GroupFixture node) {
        this.node = node;
    }

    // ---- classic protocol

    CompletableFuture<JoinGroupResponseData> join(String group, String member, int sessionTimeoutMs, String... topics) {
        ByteBuffer metadata = ConsumerProtocol.serializeSubscription(new Subscription(List.of(topics)));
        byte[] bytes = new byte[metadata.remaining()];
        metadata.get(bytes);
        JoinGroupRequestProtocolCollection protocols = new JoinGroupRequestProtocolCollection(
                List.of(new JoinGroupRequestProtocol().setName("range").setMetadata(bytes))
                        .iterator());
        return node.send(new JoinGroupRequest.Builder(new JoinGroupRequestData()
                                .setGroupId(group)
                                .setMemberId(member)
                                .setSessionTimeoutMs(sessionTimeoutMs)
                                .setRebalanceTimeoutMs(5_000)
                                .setProtocolType("consumer")
                                .setProtocols(protocols))
                        .build())
                .thenApply(response -> ((JoinGroupResponse) response).data());
    }

    /** Joins as a new member: is given a member id first, as clients are. */
    String memberId(String group, int sessionTimeoutMs) {
        JoinGroupResponseData first =
                join(group, "", sessionTimeoutMs, "readings").join();
        if (first.errorCode() != Errors.MEMBER_ID_REQUIRED.code()) {
            throw new AssertionError("expected to be given a member id: " + first);
        }
        return first.memberId();
    }

    CompletableFuture<SyncGroupResponseData> sync(
            String group, JoinGroupResponseData joined, Map<String, byte[]> assignments) {
        return node.send(new SyncGroupRequest.Builder(new SyncGroupRequestData()
                                .setGroupId(group)
                                .setMemberId(joined.memberId())
                                .setGenerationId(joined.generationId())
                                .setProtocolType("consumer")
                                .setProtocolName("range")
                                .setAssignments(assignments.entrySet().stream()
                                        .map(assigned -> new SyncGroupRequestAssignment()
                                                .setMemberId(assigned.getKey())
                                                .setAssignment(assigned.getValue()))
                                        .toList()))
                        .build())
                .thenApply(response -> ((SyncGroupResponse) response).data());
    }

    Errors heartbeat(String group, JoinGroupResponseData joined) {
        return Errors.forCode(node.call(
                        HeartbeatResponse.class,
                        new HeartbeatRequest.Builder(new HeartbeatRequestData()
                                        .setGroupId(group)
                                        .setMemberId(joined.memberId())
                                        .setGenerationId(joined.generationId()))
                                .build())
                .data()
                .errorCode());
    }

    Errors leave(String group, String... members) {
        List<MemberIdentity> identities = Arrays.stream(members)
                .map(member -> new MemberIdentity().setMemberId(member))
                .toList();
        return node.call(LeaveGroupResponse.class, new LeaveGroupRequest.Builder(group, identities).build())
                .error();
    }

    // ---- consumer protocol

    ConsumerGroupHeartbeatResponseData beat(ConsumerGroupHeartbeatRequestData data) {
        return node.call(ConsumerGroupHeartbeatResponse.class, new ConsumerGroupHeartbeatRequest.Builder(data).build())
                .data();
    }

    // ---- offsets

    CompletableFuture<Errors> commitLater(String group, String topic, int partition, long offset) {
        return node.send(OffsetCommitRequest.Builder.forTopicNames(
                                commitOf(group, new OffsetCommitRequestTopic().setName(topic), partition, offset))
                        .build((short) 9))
                .thenApply(GroupClient::onlyCommitError);
    }

    Errors commit(String group, String topic, int partition, long offset) {
        return commitLater(group, topic, partition, offset).join();
    }

    Errors commit(String group, Uuid topicId, int partition, long offset) {
        return onlyCommitError(node.call(
                OffsetCommitResponse.class,
                OffsetCommitRequest.Builder.forTopicIdsOrNames(
                                commitOf(group, new OffsetCommitRequestTopic().setTopicId(topicId), partition, offset))
                        .build((short) 10)));
    }

    static OffsetCommitRequestData commitOf(String group, OffsetCommitRequestTopic topic, int partition, long offset) {
        topic.partitions()
                .add(new OffsetCommitRequestPartition()
                        .setPartitionIndex(partition)
                        .setCommittedOffset(offset)
                        .setCommittedMetadata("by test"));
        return new OffsetCommitRequestData().setGroupId(group).setTopics(List.of(topic));
    }

    private static Errors onlyCommitError(AbstractResponse response) {
        List<OffsetCommitResponseTopic> topics =
                ((OffsetCommitResponse) response).data().topics();
        List<OffsetCommitResponsePartition> partitions = topics.get(0).partitions();
        if (topics.size() != 1 || partitions.size() != 1) {
            throw new AssertionError("expected one answer: " + topics);
        }
        return Errors.forCode(partitions.get(0).errorCode());
    }

    /** Many partitions of one topic in one request. */
    void commitAll(String group, String topic, int partitions, long offset) {
        OffsetCommitRequestTopic asked = new OffsetCommitRequestTopic()
                .setName(topic)
                .setPartitions(IntStream.range(0, partitions)
                        .mapToObj(partition -> new OffsetCommitRequestPartition()
                                .setPartitionIndex(partition)
                                .setCommittedOffset(offset))
                        .toList());
        OffsetCommitResponse response = node.call(
                OffsetCommitResponse.class,
                OffsetCommitRequest.Builder.forTopicNames(
                                new OffsetCommitRequestData().setGroupId(group).setTopics(List.of(asked)))
                        .build((short) 9));
        if (!response.errorCounts().keySet().equals(Set.of(Errors.NONE))) {
            throw new AssertionError("commit failed: " + response);
        }
    }

    OffsetFetchResponseGroup fetch(String group, short version, OffsetFetchRequestTopics... topics) {
        OffsetFetchRequestGroup asked = new OffsetFetchRequestGroup().setGroupId(group);
        asked.setTopics(topics.length == 0 ? null : List.of(topics));
        return node.call(
                        OffsetFetchResponse.class,
                        OffsetFetchRequest.Builder.forTopicIdsOrNames(
                                        new OffsetFetchRequestData().setGroups(List.of(asked)), false)
                                .build(version))
                .group(group);
    }

    /** All committed offsets of the group as "topic-partition" → offset. */
    Map<String, Long> offsets(String group) {
        OffsetFetchResponseGroup answer = fetch(group, (short) 9);
        if (answer.errorCode() != Errors.NONE.code()) {
            throw new AssertionError("fetch failed: " + answer);
        }
        Map<String, Long> offsets = new TreeMap<>();
        for (OffsetFetchResponseTopics topic : answer.topics()) {
            for (OffsetFetchResponsePartitions partition : topic.partitions()) {
                offsets.put(topic.name() + "-" + partition.partitionIndex(), partition.committedOffset());
            }
        }
        return offsets;
    }

    Errors fetchError(String group) {
        return Errors.forCode(fetch(group, (short) 9).errorCode());
    }

    OffsetDeleteResponseData deleteOffsets(String group, String topic, int... partitions) {
        OffsetDeleteRequestTopicCollection topics = new OffsetDeleteRequestTopicCollection();
        topics.add(new OffsetDeleteRequestTopic()
                .setName(topic)
                .setPartitions(Arrays.stream(partitions)
                        .mapToObj(partition -> new OffsetDeleteRequestPartition().setPartitionIndex(partition))
                        .toList()));
        return node.call(
                        OffsetDeleteResponse.class,
                        new OffsetDeleteRequest.Builder(new OffsetDeleteRequestData()
                                        .setGroupId(group)
                                        .setTopics(topics))
                                .build())
                .data();
    }

    // ---- administration

    Errors listGroupsError() {
        return Errors.forCode(listGroupsResponse().data().errorCode());
    }

    List<ListedGroup> listGroups() {
        return listGroupsResponse().data().groups();
    }

    private ListGroupsResponse listGroupsResponse() {
        return node.call(
                ListGroupsResponse.class,
                new ListGroupsRequest.Builder(new ListGroupsRequestData()).build(ApiKeys.LIST_GROUPS.latestVersion()));
    }

    DescribeGroupsResponseData.DescribedGroup describe(String group, boolean withOperations) {
        return node.call(
                        DescribeGroupsResponse.class,
                        new DescribeGroupsRequest.Builder(new DescribeGroupsRequestData()
                                        .setGroups(List.of(group))
                                        .setIncludeAuthorizedOperations(withOperations))
                                .build())
                .data()
                .groups()
                .get(0);
    }

    ConsumerGroupDescribeResponseData.DescribedGroup describeConsumerGroup(String group) {
        return node.call(
                        ConsumerGroupDescribeResponse.class,
                        new ConsumerGroupDescribeRequest.Builder(new ConsumerGroupDescribeRequestData()
                                        .setGroupIds(List.of(group))
                                        .setIncludeAuthorizedOperations(true))
                                .build())
                .data()
                .groups()
                .get(0);
    }

    Errors deleteGroup(String group) {
        return Errors.forCode(node.call(
                        DeleteGroupsResponse.class,
                        new DeleteGroupsRequest.Builder(new DeleteGroupsRequestData().setGroupsNames(List.of(group)))
                                .build())
                .data()
                .results()
                .find(group)
                .errorCode());
    }
}
