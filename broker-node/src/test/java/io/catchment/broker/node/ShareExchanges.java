package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RawClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.AlterShareGroupOffsetsRequestData.AlterShareGroupOffsetsRequestPartition;
import org.apache.kafka.common.message.AlterShareGroupOffsetsRequestData.AlterShareGroupOffsetsRequestTopic;
import org.apache.kafka.common.message.AlterShareGroupOffsetsResponseData;
import org.apache.kafka.common.message.DeleteShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.DeleteShareGroupOffsetsRequestData.DeleteShareGroupOffsetsRequestTopic;
import org.apache.kafka.common.message.DeleteShareGroupOffsetsResponseData;
import org.apache.kafka.common.message.DeleteShareGroupStateRequestData;
import org.apache.kafka.common.message.DeleteShareGroupStateResponseData;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsRequestData.DescribeShareGroupOffsetsRequestGroup;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsRequestData.DescribeShareGroupOffsetsRequestTopic;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.InitializeShareGroupStateRequestData;
import org.apache.kafka.common.message.InitializeShareGroupStateResponseData;
import org.apache.kafka.common.message.ReadShareGroupStateRequestData;
import org.apache.kafka.common.message.ReadShareGroupStateResponseData;
import org.apache.kafka.common.message.ReadShareGroupStateSummaryRequestData;
import org.apache.kafka.common.message.ReadShareGroupStateSummaryResponseData;
import org.apache.kafka.common.message.ShareAcknowledgeRequestData;
import org.apache.kafka.common.message.ShareAcknowledgeResponseData;
import org.apache.kafka.common.message.ShareFetchRequestData;
import org.apache.kafka.common.message.ShareFetchRequestData.FetchPartition;
import org.apache.kafka.common.message.ShareFetchRequestData.FetchTopic;
import org.apache.kafka.common.message.ShareFetchResponseData;
import org.apache.kafka.common.message.ShareGroupDescribeRequestData;
import org.apache.kafka.common.message.ShareGroupDescribeResponseData;
import org.apache.kafka.common.message.ShareGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ShareGroupHeartbeatResponseData;
import org.apache.kafka.common.message.WriteShareGroupStateRequestData;
import org.apache.kafka.common.message.WriteShareGroupStateResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Share groups: their members, their state, their records. Each exchange has a group of its own. */
final class ShareExchanges {
    private static final String NOBODY = "no-such-group";
    private static final long DEADLINE_S = 30;

    private final String topic;
    private final Uuid topicId;
    private final AtomicInteger groups = new AtomicInteger();

    ShareExchanges(String topic, Uuid topicId) {
        this.topic = topic;
        this.topicId = topicId;
    }

    List<Exchange> all() {
        List<Exchange> all = new ArrayList<>(members());
        all.addAll(state());
        all.addAll(offsets());
        all.addAll(records());
        return all;
    }

    /** The first question creates the topic of the state. */
    void awaitCoordinator(RawClient client) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
        while (initialize(client, (short) 0, "first", 0, 0) != Errors.NONE) {
            client.call(
                    ApiKeys.FIND_COORDINATOR,
                    (short) 6,
                    new FindCoordinatorRequestData()
                            .setKeyType((byte) 2)
                            .setCoordinatorKeys(List.of("first:" + topicId + ":0")));
            assertThat(System.nanoTime())
                    .as("waiting for the share coordinator")
                    .isLessThan(deadline);
            Thread.sleep(20); // between two questions
        }
    }

    private List<Exchange> members() {
        return List.of(
                Exchange.of(ApiKeys.SHARE_GROUP_HEARTBEAT, Errors.NONE, (client, version) -> {
                    ShareGroupHeartbeatResponseData beat = beat(client, version, fresh(), member(), 0);
                    assertThat(error(beat.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(beat.memberEpoch()).isPositive();
                }),
                Exchange.of(ApiKeys.SHARE_GROUP_HEARTBEAT, Errors.INVALID_REQUEST, (client, version) -> {
                    ShareGroupHeartbeatResponseData refused = beat(client, version, fresh(), "", 0);
                    assertThat(error(refused.errorCode())).isEqualTo(Errors.INVALID_REQUEST);
                }),
                Exchange.of(ApiKeys.SHARE_GROUP_DESCRIBE, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    beat(client, (short) 1, group, member(), 0);
                    ShareGroupDescribeResponseData.DescribedGroup described = describe(client, version, group);
                    assertThat(error(described.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(described.members()).hasSize(1);
                }),
                Exchange.of(ApiKeys.SHARE_GROUP_DESCRIBE, Errors.GROUP_ID_NOT_FOUND, (client, version) -> {
                    assertThat(error(describe(client, version, NOBODY).errorCode()))
                            .isEqualTo(Errors.GROUP_ID_NOT_FOUND);
                }));
    }

    private List<Exchange> state() {
        return List.of(
                Exchange.of(ApiKeys.INITIALIZE_SHARE_GROUP_STATE, Errors.NONE, (client, version) -> {
                    assertThat(initialize(client, version, fresh(), 0, 0)).isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.INITIALIZE_SHARE_GROUP_STATE, Errors.FENCED_STATE_EPOCH, (client, version) -> {
                    String group = fresh();
                    initialize(client, version, group, 0, 5);
                    assertThat(initialize(client, version, group, 0, 4)).isEqualTo(Errors.FENCED_STATE_EPOCH);
                }),
                Exchange.of(ApiKeys.READ_SHARE_GROUP_STATE, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    initialize(client, (short) 0, group, 0, 7);
                    ReadShareGroupStateResponseData.PartitionResult found = read(client, version, group, 0);
                    assertThat(error(found.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(found.stateEpoch()).isEqualTo(7);
                }),
                Exchange.of(ApiKeys.READ_SHARE_GROUP_STATE, Errors.INVALID_REQUEST, (client, version) -> {
                    assertThat(error(read(client, version, fresh(), -1).errorCode()))
                            .isEqualTo(Errors.INVALID_REQUEST);
                }),
                Exchange.of(ApiKeys.WRITE_SHARE_GROUP_STATE, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    initialize(client, (short) 0, group, 0, 0);
                    assertThat(write(client, version, group)).isEqualTo(Errors.NONE);
                    ReadShareGroupStateResponseData.PartitionResult found = read(client, (short) 0, group, 0);
                    assertThat(found.startOffset()).isEqualTo(10);
                    assertThat(found.stateBatches()).hasSize(1);
                }),
                Exchange.of(ApiKeys.WRITE_SHARE_GROUP_STATE, Errors.INVALID_REQUEST, (client, version) -> {
                    assertThat(write(client, version, fresh())).isEqualTo(Errors.INVALID_REQUEST);
                }),
                Exchange.of(ApiKeys.READ_SHARE_GROUP_STATE_SUMMARY, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    initialize(client, (short) 0, group, 3, 0);
                    ReadShareGroupStateSummaryResponseData.PartitionResult found = summary(client, version, group, 0);
                    assertThat(error(found.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(found.startOffset()).isEqualTo(3);
                }),
                Exchange.of(ApiKeys.READ_SHARE_GROUP_STATE_SUMMARY, Errors.INVALID_REQUEST, (client, version) -> {
                    assertThat(error(summary(client, version, fresh(), -1).errorCode()))
                            .isEqualTo(Errors.INVALID_REQUEST);
                }),
                Exchange.of(ApiKeys.DELETE_SHARE_GROUP_STATE, Errors.NONE, (client, version) -> {
                    String group = fresh();
                    initialize(client, (short) 0, group, 0, 0);
                    assertThat(delete(client, version, group, 0)).isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.DELETE_SHARE_GROUP_STATE, Errors.INVALID_REQUEST, (client, version) -> {
                    assertThat(delete(client, version, fresh(), -1)).isEqualTo(Errors.INVALID_REQUEST);
                }));
    }

    private List<Exchange> offsets() {
        return List.of(
                Exchange.of(ApiKeys.ALTER_SHARE_GROUP_OFFSETS, Errors.NONE, (client, version) -> {
                    assertThat(alter(client, version, empty(client))).isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.ALTER_SHARE_GROUP_OFFSETS, Errors.NON_EMPTY_GROUP, (client, version) -> {
                    String group = fresh();
                    beat(client, (short) 1, group, member(), 0);
                    assertThat(alter(client, version, group)).isEqualTo(Errors.NON_EMPTY_GROUP);
                }),
                Exchange.of(ApiKeys.DESCRIBE_SHARE_GROUP_OFFSETS, Errors.NONE, (client, version) -> {
                    String group = empty(client);
                    alter(client, (short) 0, group);
                    var described = offsets(client, version, group, null);
                    assertThat(error(described.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(described.topics().get(0).partitions().get(0).startOffset())
                            .isZero();
                }),
                Exchange.of(ApiKeys.DESCRIBE_SHARE_GROUP_OFFSETS, Errors.NONE, (client, version) -> {
                    DescribeShareGroupOffsetsRequestTopic unknown = new DescribeShareGroupOffsetsRequestTopic()
                            .setTopicName("no-such-topic")
                            .setPartitions(List.of(0));
                    var described = offsets(client, version, NOBODY, List.of(unknown));
                    assertThat(described.topics().get(0).partitions().get(0).startOffset())
                            .isEqualTo(-1);
                }),
                Exchange.of(ApiKeys.DELETE_SHARE_GROUP_OFFSETS, Errors.NONE, (client, version) -> {
                    String group = empty(client);
                    alter(client, (short) 0, group);
                    DeleteShareGroupOffsetsResponseData deleted = forget(client, version, group);
                    assertThat(error(deleted.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(error(deleted.responses().get(0).errorCode())).isEqualTo(Errors.NONE);
                }),
                Exchange.of(ApiKeys.DELETE_SHARE_GROUP_OFFSETS, Errors.GROUP_ID_NOT_FOUND, (client, version) -> {
                    assertThat(error(forget(client, version, NOBODY).errorCode()))
                            .isEqualTo(Errors.GROUP_ID_NOT_FOUND);
                }));
    }

    private List<Exchange> records() {
        return List.of(
                Exchange.of(ApiKeys.SHARE_FETCH, Errors.NONE, (client, version) -> {
                    ShareFetchResponseData got = fetch(client, version, started(client), member(), 0);
                    assertThat(error(got.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(got.acquisitionLockTimeoutMs()).isPositive();
                }),
                Exchange.of(ApiKeys.SHARE_FETCH, Errors.SHARE_SESSION_NOT_FOUND, (client, version) -> {
                    assertThat(error(
                                    fetch(client, version, fresh(), member(), 5).errorCode()))
                            .isEqualTo(Errors.SHARE_SESSION_NOT_FOUND);
                }),
                Exchange.of(ApiKeys.SHARE_ACKNOWLEDGE, Errors.NONE, (client, version) -> {
                    String group = started(client);
                    String member = member();
                    fetch(client, (short) 1, group, member, 0);
                    ShareAcknowledgeResponseData done = acknowledge(client, version, group, member, 1);
                    assertThat(error(done.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(error(done.responses()
                                    .find(topicId)
                                    .partitions()
                                    .get(0)
                                    .errorCode()))
                            .as("of a record that nobody has")
                            .isEqualTo(Errors.INVALID_REQUEST);
                }),
                Exchange.of(ApiKeys.SHARE_ACKNOWLEDGE, Errors.SHARE_SESSION_NOT_FOUND, (client, version) -> {
                    assertThat(error(acknowledge(client, version, fresh(), member(), 1)
                                    .errorCode()))
                            .isEqualTo(Errors.SHARE_SESSION_NOT_FOUND);
                }));
    }

    // ---- requests

    private String fresh() {
        return "share-group-" + groups.incrementAndGet();
    }

    private static String member() {
        return Uuid.randomUuid().toString();
    }

    private static Errors error(short code) {
        return Errors.forCode(code);
    }

    /** A group whose only member has left. */
    private String empty(RawClient client) throws IOException {
        String group = fresh();
        String member = member();
        beat(client, (short) 1, group, member, 0);
        beat(client, (short) 1, group, member, -1);
        return group;
    }

    /** A group that has begun with the partition. */
    private String started(RawClient client) throws IOException {
        String group = fresh();
        initialize(client, (short) 0, group, 0, 0);
        return group;
    }

    private ShareGroupHeartbeatResponseData beat(
            RawClient client, short version, String group, String member, int epoch) throws IOException {
        return client.call(
                ApiKeys.SHARE_GROUP_HEARTBEAT,
                version,
                new ShareGroupHeartbeatRequestData()
                        .setGroupId(group)
                        .setMemberId(member)
                        .setMemberEpoch(epoch)
                        .setSubscribedTopicNames(epoch == 0 ? List.of("plain-of-nobody") : null));
    }

    private static ShareGroupDescribeResponseData.DescribedGroup describe(RawClient client, short version, String group)
            throws IOException {
        ShareGroupDescribeResponseData answer = client.call(
                ApiKeys.SHARE_GROUP_DESCRIBE,
                version,
                new ShareGroupDescribeRequestData().setGroupIds(List.of(group)).setIncludeAuthorizedOperations(true));
        return answer.groups().get(0);
    }

    private Errors initialize(RawClient client, short version, String group, long startOffset, int stateEpoch)
            throws IOException {
        InitializeShareGroupStateResponseData answer = client.call(
                ApiKeys.INITIALIZE_SHARE_GROUP_STATE,
                version,
                new InitializeShareGroupStateRequestData()
                        .setGroupId(group)
                        .setTopics(List.of(new InitializeShareGroupStateRequestData.InitializeStateData()
                                .setTopicId(topicId)
                                .setPartitions(List.of(new InitializeShareGroupStateRequestData.PartitionData()
                                        .setPartition(0)
                                        .setStateEpoch(stateEpoch)
                                        .setStartOffset(startOffset))))));
        return error(answer.results().get(0).partitions().get(0).errorCode());
    }

    private ReadShareGroupStateResponseData.PartitionResult read(
            RawClient client, short version, String group, int partition) throws IOException {
        ReadShareGroupStateResponseData answer = client.call(
                ApiKeys.READ_SHARE_GROUP_STATE,
                version,
                new ReadShareGroupStateRequestData()
                        .setGroupId(group)
                        .setTopics(List.of(new ReadShareGroupStateRequestData.ReadStateData()
                                .setTopicId(topicId)
                                .setPartitions(List.of(new ReadShareGroupStateRequestData.PartitionData()
                                        .setPartition(partition)
                                        .setLeaderEpoch(0))))));
        return answer.results().get(0).partitions().get(0);
    }

    private Errors write(RawClient client, short version, String group) throws IOException {
        WriteShareGroupStateResponseData answer = client.call(
                ApiKeys.WRITE_SHARE_GROUP_STATE,
                version,
                new WriteShareGroupStateRequestData()
                        .setGroupId(group)
                        .setTopics(List.of(new WriteShareGroupStateRequestData.WriteStateData()
                                .setTopicId(topicId)
                                .setPartitions(List.of(new WriteShareGroupStateRequestData.PartitionData()
                                        .setPartition(0)
                                        .setStateEpoch(0)
                                        .setLeaderEpoch(0)
                                        .setStartOffset(10)
                                        .setStateBatches(List.of(new WriteShareGroupStateRequestData.StateBatch()
                                                .setFirstOffset(12)
                                                .setLastOffset(14)
                                                .setDeliveryState((byte) 2)
                                                .setDeliveryCount((short) 1))))))));
        return error(answer.results().get(0).partitions().get(0).errorCode());
    }

    private ReadShareGroupStateSummaryResponseData.PartitionResult summary(
            RawClient client, short version, String group, int partition) throws IOException {
        ReadShareGroupStateSummaryResponseData answer = client.call(
                ApiKeys.READ_SHARE_GROUP_STATE_SUMMARY,
                version,
                new ReadShareGroupStateSummaryRequestData()
                        .setGroupId(group)
                        .setTopics(List.of(new ReadShareGroupStateSummaryRequestData.ReadStateSummaryData()
                                .setTopicId(topicId)
                                .setPartitions(List.of(new ReadShareGroupStateSummaryRequestData.PartitionData()
                                        .setPartition(partition)
                                        .setLeaderEpoch(0))))));
        return answer.results().get(0).partitions().get(0);
    }

    private Errors delete(RawClient client, short version, String group, int partition) throws IOException {
        DeleteShareGroupStateResponseData answer = client.call(
                ApiKeys.DELETE_SHARE_GROUP_STATE,
                version,
                new DeleteShareGroupStateRequestData()
                        .setGroupId(group)
                        .setTopics(List.of(new DeleteShareGroupStateRequestData.DeleteStateData()
                                .setTopicId(topicId)
                                .setPartitions(List.of(new DeleteShareGroupStateRequestData.PartitionData()
                                        .setPartition(partition))))));
        return error(answer.results().get(0).partitions().get(0).errorCode());
    }

    private Errors alter(RawClient client, short version, String group) throws IOException {
        AlterShareGroupOffsetsRequestData data = new AlterShareGroupOffsetsRequestData().setGroupId(group);
        data.topics()
                .add(new AlterShareGroupOffsetsRequestTopic()
                        .setTopicName(topic)
                        .setPartitions(List.of(new AlterShareGroupOffsetsRequestPartition()
                                .setPartitionIndex(0)
                                .setStartOffset(0))));
        AlterShareGroupOffsetsResponseData answer = client.call(ApiKeys.ALTER_SHARE_GROUP_OFFSETS, version, data);
        return answer.errorCode() != 0
                ? error(answer.errorCode())
                : error(answer.responses().find(topic).partitions().get(0).errorCode());
    }

    private static DescribeShareGroupOffsetsResponseData.DescribeShareGroupOffsetsResponseGroup offsets(
            RawClient client, short version, String group, @Nullable List<DescribeShareGroupOffsetsRequestTopic> topics)
            throws IOException {
        DescribeShareGroupOffsetsResponseData answer = client.call(
                ApiKeys.DESCRIBE_SHARE_GROUP_OFFSETS,
                version,
                new DescribeShareGroupOffsetsRequestData()
                        .setGroups(List.of(new DescribeShareGroupOffsetsRequestGroup()
                                .setGroupId(group)
                                .setTopics(topics))));
        return answer.groups().get(0);
    }

    private DeleteShareGroupOffsetsResponseData forget(RawClient client, short version, String group)
            throws IOException {
        return client.call(
                ApiKeys.DELETE_SHARE_GROUP_OFFSETS,
                version,
                new DeleteShareGroupOffsetsRequestData()
                        .setGroupId(group)
                        .setTopics(List.of(new DeleteShareGroupOffsetsRequestTopic().setTopicName(topic))));
    }

    private ShareFetchResponseData fetch(RawClient client, short version, String group, String member, int epoch)
            throws IOException {
        ShareFetchRequestData data = new ShareFetchRequestData()
                .setGroupId(group)
                .setMemberId(member)
                .setShareSessionEpoch(epoch)
                .setMaxWaitMs(100)
                .setMinBytes(1)
                .setMaxBytes(1 << 20)
                .setMaxRecords(10)
                .setBatchSize(10);
        FetchTopic wanted = new FetchTopic().setTopicId(topicId);
        wanted.partitions().add(new FetchPartition().setPartitionIndex(0));
        data.topics().add(wanted);
        return client.call(ApiKeys.SHARE_FETCH, version, data);
    }

    private ShareAcknowledgeResponseData acknowledge(
            RawClient client, short version, String group, String member, int epoch) throws IOException {
        ShareAcknowledgeRequestData data = new ShareAcknowledgeRequestData()
                .setGroupId(group)
                .setMemberId(member)
                .setShareSessionEpoch(epoch);
        var wanted = new ShareAcknowledgeRequestData.AcknowledgeTopic().setTopicId(topicId);
        wanted.partitions()
                .add(new ShareAcknowledgeRequestData.AcknowledgePartition()
                        .setPartitionIndex(0)
                        .setAcknowledgementBatches(List.of(new ShareAcknowledgeRequestData.AcknowledgementBatch()
                                .setFirstOffset(1_000_000)
                                .setLastOffset(1_000_000)
                                .setAcknowledgeTypes(List.of((byte) 1)))));
        data.topics().add(wanted);
        return client.call(ApiKeys.SHARE_ACKNOWLEDGE, version, data);
    }
}
