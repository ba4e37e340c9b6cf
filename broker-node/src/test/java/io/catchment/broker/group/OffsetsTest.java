package io.catchment.broker.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.apache.kafka.common.requests.OffsetCommitResponse;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Committed offsets by name and by id, and the administration of groups. */
class OffsetsTest {
    private static final short BY_ID = 10;

    private final GroupFixture node = GroupFixture.running();
    private final GroupClient client = new GroupClient(node);
    private Uuid readings = Uuid.ZERO_UUID;

    @BeforeEach
    void topic() {
        readings = node.createTopic("readings", 3);
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void offsetsCommittedByNameAreFetchedByIdAndTheOtherWayRound() {
        assertThat(client.commit("g", "readings", 0, 10)).isEqualTo(Errors.NONE);
        assertThat(client.commit("g", readings, 1, 20)).isEqualTo(Errors.NONE);
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 10L, "readings-1", 20L));

        OffsetFetchResponseTopics named =
                client.fetch("g", BY_ID, byId(readings, 0, 1, 2)).topics().get(0);
        assertThat(named.topicId()).isEqualTo(readings);
        assertThat(named.partitions())
                .extracting(OffsetFetchResponsePartitions::committedOffset)
                .containsExactlyInAnyOrder(10L, 20L, -1L);
        assertThat(named.partitions().get(0).metadata()).isEqualTo("by test");

        OffsetFetchResponseTopics all = client.fetch("g", BY_ID).topics().get(0);
        assertThat(all.topicId()).isEqualTo(readings);
        assertThat(all.partitions()).hasSize(2);
    }

    /** Kafka keeps it however the client names the topic: offsets of a topic that is created again must not pass for the new one's. */
    @Test
    void theTopicsIdIsKeptWithEachOffset() {
        client.commit("g", "readings", 0, 10);
        client.commit("g", readings, 1, 20);
        assertThat(node.logOf("g").values()).hasSize(2).allSatisfy(value -> {
            short version = value.getShort();
            assertThat(new OffsetCommitValue(new ByteBufferAccessor(value), version).topicId())
                    .isEqualTo(readings);
        });
    }

    @Test
    void unknownTopicsAndPartitionsAreRefusedOneByOne() {
        assertThat(client.commit("g", "nowhere", 0, 1)).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(client.commit("g", "readings", 3, 1)).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(client.commit("g", Uuid.randomUuid(), 0, 1)).isEqualTo(Errors.UNKNOWN_TOPIC_ID);

        client.commit("g", "readings", 0, 5);
        Uuid stranger = Uuid.randomUuid();
        List<OffsetFetchResponseTopics> answer =
                client.fetch("g", BY_ID, byId(stranger, 0), byId(readings, 0)).topics();
        assertThat(answer).hasSize(2);
        assertThat(answer)
                .filteredOn(topic -> topic.topicId().equals(stranger))
                .first()
                .satisfies(topic ->
                        assertThat(topic.partitions().get(0).errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_ID.code()));
        assertThat(answer)
                .filteredOn(topic -> topic.topicId().equals(readings))
                .first()
                .satisfies(topic ->
                        assertThat(topic.partitions().get(0).committedOffset()).isEqualTo(5));
    }

    @Test
    void aCommitOfAKnownAndAnUnknownPartitionKeepsTheKnownOne() {
        var topic = new OffsetCommitRequestTopic().setName("readings");
        var data = GroupClient.commitOf("g", topic, 0, 42);
        GroupClient.commitOf("g", topic, 9, 42);
        var response = node.call(
                OffsetCommitResponse.class,
                OffsetCommitRequest.Builder.forTopicNames(data).build((short) 9));
        assertThat(response.errorCounts()).isEqualTo(Map.of(Errors.NONE, 1, Errors.UNKNOWN_TOPIC_OR_PARTITION, 1));
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 42L));
    }

    @Test
    void deletedOffsetsAreGoneAndUnknownPartitionsRefused() {
        client.commit("g", "readings", 0, 1);
        client.commit("g", "readings", 1, 2);
        var answer = client.deleteOffsets("g", "readings", 0, 7);
        assertThat(answer.errorCode()).isEqualTo(Errors.NONE.code());
        var partitions = answer.topics().find("readings").partitions();
        assertThat(partitions.find(0).errorCode()).isEqualTo(Errors.NONE.code());
        assertThat(partitions.find(7).errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-1", 2L));
        assertThat(client.deleteOffsets("nobody", "readings", 0).errorCode())
                .isEqualTo(Errors.GROUP_ID_NOT_FOUND.code());
    }

    @Test
    void groupsAreListedDescribedAndDeleted() {
        client.commit("g", "readings", 0, 1);
        assertThat(client.listGroups()).extracting(ListedGroup::groupId).containsExactly("g");
        var described = client.describe("g", true);
        assertThat(described.groupState()).isEqualTo("Empty");
        // Without an authorizer every operation on groups is allowed: READ 3, DELETE 6, DESCRIBE 8, DESCRIBE_CONFIGS
        // 10, ALTER_CONFIGS 11.
        assertThat(described.authorizedOperations()).isEqualTo(1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11);
        assertThat(client.describe("g", false).authorizedOperations()).isEqualTo(Integer.MIN_VALUE);
        assertThat(client.deleteGroup("g")).isEqualTo(Errors.NONE);
        assertThat(client.listGroups()).isEmpty();
        assertThat(client.offsets("g")).isEmpty();
        assertThat(client.deleteGroup("g")).isEqualTo(Errors.GROUP_ID_NOT_FOUND);
    }

    @Test
    void theOffsetsOfADeletedTopicGoAndThoseOfItsNamesakeStartAnew() {
        node.createTopic("short-lived", 2);
        client.commit("g", "short-lived", 1, 77);
        client.commit("g", "readings", 0, 5);
        node.deleteTopic("short-lived");
        GroupFixture.await(() -> client.offsets("g").equals(Map.of("readings-0", 5L)), "offsets of the topic go");
        node.createTopic("short-lived", 2);
        node.reopen(node.partitionOf("g"));
        node.awaitLoaded();
        assertThat(client.offsets("g")).isEqualTo(Map.of("readings-0", 5L));
    }

    @Test
    void theOffsetsOfATopicThatCameAndWentWhileTheCoordinatorWasBusyGoToo() {
        String held = node.groupIn(0);
        String free = node.groupIn(1);
        node.createTopic("first", 1);
        client.commit(held, "first", 0, 1);
        // The removal of the first topic's offsets is not acknowledged: the coordinator hears of nothing else
        // meanwhile.
        node.logOf(held).hold();
        node.deleteTopic("first");
        GroupFixture.await(() -> node.logOf(held).endOffset() == 2, "the removal is written");
        node.createTopic("second", 1);
        assertThat(client.commit(free, "second", 0, 1)).isEqualTo(Errors.NONE);
        node.deleteTopic("second");
        node.logOf(held).release();
        GroupFixture.await(() -> client.offsets(free).isEmpty(), "offsets of the second topic go");
        assertThat(client.offsets(held)).isEmpty();
    }

    private static OffsetFetchRequestTopics byId(Uuid topicId, Integer... partitions) {
        return new OffsetFetchRequestTopics().setTopicId(topicId).setPartitionIndexes(List.of(partitions));
    }
}
