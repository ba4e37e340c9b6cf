package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RawClient;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartition;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** Groups of both protocols and their offsets. Each exchange has a group of its own. */
final class GroupExchanges {
    private static final String NOBODY = "no-such-group";

    private final String topic;
    private final Uuid topicId;
    private final AtomicInteger groups = new AtomicInteger();

    GroupExchanges(String topic, Uuid topicId) {
        this.topic = topic;
        this.topicId = topicId;
    }

    List<Exchange> all() {
        List<Exchange> all = new ArrayList<>(coordinators());
        all.addAll(members());
        all.addAll(offsets());
        all.addAll(administration());
        all.addAll(newProtocol());
        return all;
    }

    private List<Exchange> coordinators() {
        return List.of(
                Exchange.of(ApiKeys.FIND_COORDINATOR, Errors.NONE, (client, version) -> {
                    FindCoordinatorResponseData answer = find(client, version, (byte) 0);
                    boolean batched = version >= 4;
                    assertThat(error(batched ? answer.coordinators().get(0).errorCode() : answer.errorCode()))
                            .isEqualTo(Errors.NONE);
                    assertThat(batched ? answer.coordinators().get(0).nodeId() : answer.nodeId())
                            .isEqualTo(1);
                }),
                new Exchange(ApiKeys.FIND_COORDINATOR, Errors.INVALID_REQUEST, 1, (client, version) -> {
                    FindCoordinatorResponseData answer = find(client, version, (byte) 77);
                    assertThat(error(version >= 4 ? answer.coordinators().get(0).errorCode() : answer.errorCode()))
                            .isEqualTo(Errors.INVALID_REQUEST);
                }));
    }

    private List<Exchange> members() {
        return List.of(
                Exchange.of(ApiKeys.JOIN_GROUP, Errors.NONE, (client, version) -> {
                    JoinGroupResponseData joined = join(client, version, fresh());
                    assertThat(error(joined.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(joined.leader()).isEqualTo(joined.memberId());
                    assertThat(joined.members()).hasSize(1);
                    assertThat(joined.protocolName()).isEqualTo("range");
                }),
                Exchange.of(ApiKeys.JOIN_GROUP, Errors.UNKNOWN_MEMBER_ID, (client, version) -> {
                    JoinGroupResponseData refused = client.call(
                            ApiKeys.JOIN_GROUP, version, joining(fresh()).setMemberId("nobody"));
                    assertThat(error(refused.errorCode())).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
                }),
                Exchange.of(ApiKeys.SYNC_GROUP, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    JoinGroupResponseData joined = join(client, (short) 9, group);
                    SyncGroupResponseData synced = sync(client, version, group, joined);
                    assertThat(error(synced.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(synced.assignment()).containsExactly(1, 2, 3);
                }),
                Exchange.of(ApiKeys.SYNC_GROUP, Errors.UNKNOWN_MEMBER_ID, (client, version) -> {
                    SyncGroupResponseData refused = sync(
                            client,
                            version,
                            fresh(),
                            new JoinGroupResponseData()
                                    .setMemberId("nobody")
                                    .setProtocolType("consumer")
                                    .setProtocolName("range"));
                    assertThat(error(refused.errorCode())).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
                }),
                Exchange.of(ApiKeys.HEARTBEAT, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    JoinGroupResponseData joined = join(client, (short) 9, group);
                    sync(client, (short) 5, group, joined);
                    HeartbeatResponseData beat = client.call(
                            ApiKeys.HEARTBEAT,
                            version,
                            new HeartbeatRequestData()
                                    .setGroupId(group)
                                    .setMemberId(joined.memberId())
                                    .setGenerationId(joined.generationId()));
                    assertThat(error(beat.errorCode())).isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.HEARTBEAT, Errors.UNKNOWN_MEMBER_ID, (client, version) -> {
                    HeartbeatResponseData refused = client.call(
                            ApiKeys.HEARTBEAT,
                            version,
                            new HeartbeatRequestData().setGroupId(fresh()).setMemberId("nobody"));
                    assertThat(error(refused.errorCode())).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
                }),
                Exchange.of(ApiKeys.LEAVE_GROUP, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    JoinGroupResponseData joined = join(client, (short) 9, group);
                    assertThat(leave(client, version, group, joined.memberId())).isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.LEAVE_GROUP, Errors.UNKNOWN_MEMBER_ID, (client, version) -> {
                    assertThat(leave(client, version, fresh(), "nobody")).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
                }));
    }

    private List<Exchange> offsets() {
        return List.of(
                Exchange.of(ApiKeys.OFFSET_COMMIT, Errors.NONE, (client, version) -> {
                    assertThat(commit(client, version, fresh(), topic, topicId, "", -1))
                            .isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.OFFSET_COMMIT, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> {
                    assertThat(commit(
                                    client,
                                    version,
                                    fresh(),
                                    "nobody",
                                    Uuid.fromString("AAAAAAAAAAAAAAAAAAAAbg"),
                                    "",
                                    -1))
                            .isEqualTo(version >= 10 ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }),
                Exchange.of(ApiKeys.OFFSET_COMMIT, Errors.UNKNOWN_MEMBER_ID, (client, version) -> {
                    String group = fresh();
                    join(client, (short) 9, group);
                    assertThat(commit(client, version, group, topic, topicId, "nobody", 1))
                            .isEqualTo(Errors.UNKNOWN_MEMBER_ID);
                }),
                Exchange.of(ApiKeys.OFFSET_FETCH, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    commit(client, (short) 9, group, topic, topicId, "", -1);
                    OffsetFetchResponseData answer = fetch(client, version, group, null, false);
                    assertThat(committed(answer, version)).isEqualTo("42 meta 3");
                }),
                new Exchange(ApiKeys.OFFSET_FETCH, Errors.NONE, 2, (client, version) -> {
                    String group = fresh();
                    commit(client, (short) 9, group, topic, topicId, "", -1);
                    OffsetFetchResponseData answer = fetch(client, version, group, null, true);
                    assertThat(committed(answer, version)).isEqualTo("42 meta 3");
                }),
                Exchange.of(ApiKeys.OFFSET_FETCH, Errors.NONE, (client, version) -> {
                    OffsetFetchResponseData answer = fetch(client, version, NOBODY, null, false);
                    assertThat(committed(answer, version)).isEqualTo("-1  -1");
                }),
                new Exchange(ApiKeys.OFFSET_FETCH, Errors.UNKNOWN_MEMBER_ID, 9, (client, version) -> {
                    String group = fresh();
                    beat(client, (short) 1, group, Uuid.randomUuid().toString(), 0);
                    OffsetFetchResponseData answer = fetch(client, version, group, "nobody", false);
                    assertThat(error(answer.groups().get(0).errorCode())).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
                }),
                Exchange.of(ApiKeys.OFFSET_DELETE, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    commit(client, (short) 9, group, topic, topicId, "", -1);
                    OffsetDeleteResponseData answer = deleteOffset(client, version, group);
                    assertThat(error(answer.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(error(answer.topics()
                                    .find(topic)
                                    .partitions()
                                    .find(0)
                                    .errorCode()))
                            .isEqualTo(Errors.NONE);
                    assertThat(committed(fetch(client, (short) 7, group, null, false), (short) 7))
                            .isEqualTo("-1  -1");
                }),
                Exchange.of(ApiKeys.OFFSET_DELETE, Errors.GROUP_ID_NOT_FOUND, (client, version) -> {
                    OffsetDeleteResponseData answer = deleteOffset(client, version, NOBODY);
                    assertThat(error(answer.errorCode())).isEqualTo(Errors.GROUP_ID_NOT_FOUND);
                }));
    }

    private List<Exchange> administration() {
        return List.of(
                Exchange.of(ApiKeys.LIST_GROUPS, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    commit(client, (short) 9, group, topic, topicId, "", -1);
                    ListGroupsRequestData data = new ListGroupsRequestData();
                    if (version >= 4) {
                        data.setStatesFilter(List.of("Empty"));
                    }
                    if (version >= 5) {
                        data.setTypesFilter(List.of("classic"));
                    }
                    ListGroupsResponseData answer = client.call(ApiKeys.LIST_GROUPS, version, data);
                    assertThat(error(answer.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(answer.groups())
                            .anyMatch(listed -> listed.groupId().equals(group));
                }),
                Exchange.of(ApiKeys.DESCRIBE_GROUPS, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    JoinGroupResponseData joined = join(client, (short) 9, group);
                    sync(client, (short) 5, group, joined);
                    DescribeGroupsResponseData.DescribedGroup described = describe(client, version, group);
                    assertThat(error(described.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(described.groupState()).isEqualTo("Stable");
                    assertThat(described.members().get(0).memberAssignment()).containsExactly(1, 2, 3);
                }),
                Exchange.of(ApiKeys.DESCRIBE_GROUPS, Errors.GROUP_ID_NOT_FOUND, (client, version) -> {
                    DescribeGroupsResponseData.DescribedGroup described = describe(client, version, NOBODY);
                    assertThat(error(described.errorCode()))
                            .isEqualTo(version >= 6 ? Errors.GROUP_ID_NOT_FOUND : Errors.NONE);
                    assertThat(described.groupState()).isEqualTo("Dead");
                }),
                Exchange.of(ApiKeys.DELETE_GROUPS, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    commit(client, (short) 9, group, topic, topicId, "", -1);
                    assertThat(delete(client, version, group)).isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.DELETE_GROUPS, Errors.GROUP_ID_NOT_FOUND, (client, version) -> {
                    assertThat(delete(client, version, NOBODY)).isEqualTo(Errors.GROUP_ID_NOT_FOUND);
                }),
                Exchange.of(ApiKeys.DELETE_GROUPS, Errors.NON_EMPTY_GROUP, (client, version) -> {
                    String group = fresh();
                    join(client, (short) 9, group);
                    assertThat(delete(client, version, group)).isEqualTo(Errors.NON_EMPTY_GROUP);
                }));
    }

    private List<Exchange> newProtocol() {
        return List.of(
                Exchange.of(ApiKeys.CONSUMER_GROUP_HEARTBEAT, Errors.NONE, (client, version) -> {
                    ConsumerGroupHeartbeatResponseData beat =
                            beat(client, version, fresh(), Uuid.randomUuid().toString(), 0);
                    assertThat(error(beat.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(beat.memberEpoch()).isPositive();
                }),
                Exchange.of(ApiKeys.CONSUMER_GROUP_HEARTBEAT, Errors.UNKNOWN_MEMBER_ID, (client, version) -> {
                    String group = fresh();
                    beat(client, version, group, Uuid.randomUuid().toString(), 0);
                    ConsumerGroupHeartbeatResponseData refused = beat(client, version, group, "nobody", 5);
                    assertThat(error(refused.errorCode())).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
                }),
                Exchange.of(ApiKeys.CONSUMER_GROUP_DESCRIBE, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    beat(client, (short) 1, group, Uuid.randomUuid().toString(), 0);
                    ConsumerGroupDescribeResponseData.DescribedGroup described = describeNew(client, version, group);
                    assertThat(error(described.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(described.members()).hasSize(1);
                }),
                Exchange.of(ApiKeys.CONSUMER_GROUP_DESCRIBE, Errors.GROUP_ID_NOT_FOUND, (client, version) -> {
                    assertThat(error(describeNew(client, version, NOBODY).errorCode()))
                            .isEqualTo(Errors.GROUP_ID_NOT_FOUND);
                }));
    }

    private String fresh() {
        return "group-" + groups.incrementAndGet();
    }

    private static Errors error(short code) {
        return Errors.forCode(code);
    }

    private static FindCoordinatorResponseData find(RawClient client, short version, byte type) throws IOException {
        FindCoordinatorRequestData data = new FindCoordinatorRequestData().setKeyType(type);
        if (version >= 4) {
            data.setCoordinatorKeys(List.of("g"));
        } else {
            data.setKey("g");
        }
        return client.call(ApiKeys.FIND_COORDINATOR, version, data);
    }

    private static JoinGroupRequestData joining(String group) {
        JoinGroupRequestData data = new JoinGroupRequestData()
                .setGroupId(group)
                .setSessionTimeoutMs(30_000)
                .setRebalanceTimeoutMs(30_000)
                .setProtocolType("consumer");
        data.protocols().add(new JoinGroupRequestProtocol().setName("range").setMetadata(subscription()));
        return data;
    }

    private static byte[] subscription() {
        ByteBuffer bytes = ConsumerProtocol.serializeSubscription(new Subscription(List.of("plain")));
        byte[] subscription = new byte[bytes.remaining()];
        bytes.get(subscription);
        return subscription;
    }

    /** From version 4 on the member asks twice: first for its id. */
    private static JoinGroupResponseData join(RawClient client, short version, String group) throws IOException {
        JoinGroupResponseData first = client.call(ApiKeys.JOIN_GROUP, version, joining(group));
        if (version < 4) {
            return first;
        }
        assertThat(error(first.errorCode())).isEqualTo(Errors.MEMBER_ID_REQUIRED);
        return client.call(ApiKeys.JOIN_GROUP, version, joining(group).setMemberId(first.memberId()));
    }

    private static SyncGroupResponseData sync(
            RawClient client, short version, String group, JoinGroupResponseData joined) throws IOException {
        SyncGroupRequestData data = new SyncGroupRequestData()
                .setGroupId(group)
                .setMemberId(joined.memberId())
                .setGenerationId(joined.generationId())
                .setAssignments(List.of(new SyncGroupRequestAssignment()
                        .setMemberId(joined.memberId())
                        .setAssignment(new byte[] {1, 2, 3})));
        if (version >= 5) {
            data.setProtocolType(joined.protocolType()).setProtocolName(joined.protocolName());
        }
        return client.call(ApiKeys.SYNC_GROUP, version, data);
    }

    private static Errors leave(RawClient client, short version, String group, String member) throws IOException {
        LeaveGroupRequestData data = new LeaveGroupRequestData().setGroupId(group);
        if (version >= 3) {
            data.setMembers(List.of(new MemberIdentity().setMemberId(member)));
        } else {
            data.setMemberId(member);
        }
        LeaveGroupResponseData answer = client.call(ApiKeys.LEAVE_GROUP, version, data);
        return error(version >= 3 ? answer.members().get(0).errorCode() : answer.errorCode());
    }

    private static Errors commit(
            RawClient client, short version, String group, String topic, Uuid topicId, String member, int generation)
            throws IOException {
        OffsetCommitRequestData data = new OffsetCommitRequestData()
                .setGroupId(group)
                .setMemberId(member)
                .setGenerationIdOrMemberEpoch(generation)
                .setTopics(List.of(new OffsetCommitRequestTopic()
                        .setName(topic)
                        .setTopicId(topicId)
                        .setPartitions(List.of(new OffsetCommitRequestPartition()
                                .setCommittedOffset(42)
                                .setCommittedLeaderEpoch(3)
                                .setCommittedMetadata("meta")))));
        OffsetCommitResponseData answer = client.call(ApiKeys.OFFSET_COMMIT, version, data);
        return error(answer.topics().get(0).partitions().get(0).errorCode());
    }

    private OffsetFetchResponseData fetch(RawClient client, short version, String group, String member, boolean all)
            throws IOException {
        OffsetFetchRequestData data = new OffsetFetchRequestData();
        if (version < 8) {
            data.setGroupId(group)
                    .setTopics(
                            all
                                    ? null
                                    : List.of(new OffsetFetchRequestTopic()
                                            .setName(topic)
                                            .setPartitionIndexes(List.of(0))));
        } else {
            OffsetFetchRequestGroup of = new OffsetFetchRequestGroup()
                    .setGroupId(group)
                    .setTopics(
                            all
                                    ? null
                                    : List.of(new OffsetFetchRequestTopics()
                                            .setName(topic)
                                            .setTopicId(topicId)
                                            .setPartitionIndexes(List.of(0))));
            if (member != null) {
                of.setMemberId(member).setMemberEpoch(7);
            }
            data.setGroups(List.of(of));
        }
        return client.call(ApiKeys.OFFSET_FETCH, version, data);
    }

    /** Offset, metadata, leader epoch; the last is there from version 5 on and made up before. */
    private static String committed(OffsetFetchResponseData answer, short version) {
        if (version < 8) {
            assertThat(error(answer.errorCode())).isEqualTo(Errors.NONE);
            OffsetFetchResponsePartition of =
                    answer.topics().get(0).partitions().get(0);
            assertThat(error(of.errorCode())).isEqualTo(Errors.NONE);
            int epoch = version < 5 && of.committedOffset() >= 0 ? 3 : of.committedLeaderEpoch();
            return of.committedOffset() + " " + of.metadata() + " " + epoch;
        }
        OffsetFetchResponseGroup group = answer.groups().get(0);
        assertThat(error(group.errorCode())).isEqualTo(Errors.NONE);
        OffsetFetchResponsePartitions of = group.topics().get(0).partitions().get(0);
        assertThat(error(of.errorCode())).isEqualTo(Errors.NONE);
        return of.committedOffset() + " " + of.metadata() + " " + of.committedLeaderEpoch();
    }

    private OffsetDeleteResponseData deleteOffset(RawClient client, short version, String group) throws IOException {
        OffsetDeleteRequestData data = new OffsetDeleteRequestData().setGroupId(group);
        data.topics()
                .add(new OffsetDeleteRequestTopic()
                        .setName(topic)
                        .setPartitions(List.of(new OffsetDeleteRequestPartition().setPartitionIndex(0))));
        return client.call(ApiKeys.OFFSET_DELETE, version, data);
    }

    private static DescribeGroupsResponseData.DescribedGroup describe(RawClient client, short version, String group)
            throws IOException {
        DescribeGroupsResponseData answer = client.call(
                ApiKeys.DESCRIBE_GROUPS,
                version,
                new DescribeGroupsRequestData().setGroups(List.of(group)).setIncludeAuthorizedOperations(version >= 3));
        return answer.groups().get(0);
    }

    private static Errors delete(RawClient client, short version, String group) throws IOException {
        DeleteGroupsResponseData answer = client.call(
                ApiKeys.DELETE_GROUPS, version, new DeleteGroupsRequestData().setGroupsNames(List.of(group)));
        return error(answer.results().find(group).errorCode());
    }

    private ConsumerGroupHeartbeatResponseData beat(
            RawClient client, short version, String group, String member, int epoch) throws IOException {
        return client.call(
                ApiKeys.CONSUMER_GROUP_HEARTBEAT,
                version,
                new ConsumerGroupHeartbeatRequestData()
                        .setGroupId(group)
                        .setMemberId(member)
                        .setMemberEpoch(epoch)
                        .setRebalanceTimeoutMs(30_000)
                        .setSubscribedTopicNames(List.of(topic))
                        .setTopicPartitions(List.of()));
    }

    private static ConsumerGroupDescribeResponseData.DescribedGroup describeNew(
            RawClient client, short version, String group) throws IOException {
        ConsumerGroupDescribeResponseData answer = client.call(
                ApiKeys.CONSUMER_GROUP_DESCRIBE,
                version,
                new ConsumerGroupDescribeRequestData().setGroupIds(List.of(group)));
        return answer.groups().get(0);
    }
}
