package io.catchment.broker.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.Cursor;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeTopicPartitionsRequest;
import org.apache.kafka.common.requests.DescribeTopicPartitionsResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DescribeTopicPartitionsHandlerTest {
    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final DescribeTopicPartitionsHandler handler = new DescribeTopicPartitionsHandler(controlPlane, 5);

    DescribeTopicPartitionsHandlerTest() {
        List.of("c", "a", "b")
                .forEach(name -> controlPlane.applyNow(new Command.CreateTopics(
                        List.of(new Command.CreateTopic(name, 3, (short) 1, Map.of())), false)));
    }

    @Test
    void topicsComeInTheOrderOfTheirNamesAndTheNodesLimitHolds() {
        DescribeTopicPartitionsResponseData first = ask(2000, null);

        assertThat(described(first)).containsExactly("a:0,1,2", "b:0,1");
        assertThat(first.nextCursor().topicName()).isEqualTo("b");
        assertThat(first.nextCursor().partitionIndex()).isEqualTo(2);
        DescribeTopicPartitionsResponseData second =
                ask(2000, new Cursor().setTopicName("b").setPartitionIndex(2));
        assertThat(described(second)).containsExactly("b:2", "c:0,1,2");
        assertThat(second.nextCursor()).isNull();
    }

    @Test
    void theRequestsLimitHoldsTooAndIsAtLeastOne() {
        DescribeTopicPartitionsResponseData three = ask(3, null);
        assertThat(described(three)).containsExactly("a:0,1,2");
        assertThat(three.nextCursor().topicName()).isEqualTo("b");
        assertThat(three.nextCursor().partitionIndex()).isZero();
        assertThat(described(ask(0, null))).containsExactly("a:0");
    }

    @Test
    void aPartitionHasItsOwnerAsTheOnlyReplica() {
        assertThat(ask(10, null, "a").topics().find("a").partitions()).allSatisfy(partition -> {
            assertThat(partition.leaderId()).isEqualTo(1);
            assertThat(partition.replicaNodes()).containsExactly(1);
            assertThat(partition.isrNodes()).containsExactly(1);
            assertThat(partition.offlineReplicas()).isEmpty();
            assertThat(partition.eligibleLeaderReplicas()).isEmpty();
            assertThat(partition.lastKnownElr()).isEmpty();
        });
    }

    @Test
    void unknownAndInvalidNamesAreAnsweredAsSuch() {
        DescribeTopicPartitionsResponseData answer = ask(10, null, "nobody", "no way");

        assertThat(Errors.forCode(answer.topics().find("nobody").errorCode()))
                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(Errors.forCode(answer.topics().find("no way").errorCode()))
                .isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
    }

    @Test
    void aCursorOutsideTheTopicsAskedForOrWithANegativePartitionIsInvalid() {
        DescribeTopicPartitionsResponse outside =
                call(10, new Cursor().setTopicName("b").setPartitionIndex(0), "a", "c");
        assertThat(outside.errorCounts()).containsOnlyKeys(Errors.INVALID_REQUEST);
        DescribeTopicPartitionsResponse negative =
                call(10, new Cursor().setTopicName("b").setPartitionIndex(-1), "b");
        assertThat(negative.errorCounts()).containsOnlyKeys(Errors.INVALID_REQUEST);
    }

    @Test
    void aCursorPastTheEndOfItsTopicGoesOnWithTheNext() {
        DescribeTopicPartitionsResponseData answer =
                ask(10, new Cursor().setTopicName("b").setPartitionIndex(7));
        assertThat(described(answer)).containsExactly("b:", "c:0,1,2");
    }

    private static List<String> described(DescribeTopicPartitionsResponseData data) {
        List<String> described = new ArrayList<>();
        for (DescribeTopicPartitionsResponseTopic topic : data.topics()) {
            List<String> partitions = topic.partitions().stream()
                    .map(partition -> Integer.toString(partition.partitionIndex()))
                    .toList();
            described.add(topic.name() + ":" + String.join(",", partitions));
        }
        return described;
    }

    private DescribeTopicPartitionsResponseData ask(int limit, @Nullable Cursor cursor, String... topics) {
        return call(limit, cursor, topics).data();
    }

    private DescribeTopicPartitionsResponse call(int limit, @Nullable Cursor cursor, String... topics) {
        DescribeTopicPartitionsRequestData data = new DescribeTopicPartitionsRequestData()
                .setResponsePartitionLimit(limit)
                .setCursor(cursor);
        for (String topic : topics) {
            data.topics().add(new TopicRequest().setName(topic));
        }
        return (DescribeTopicPartitionsResponse)
                FakeRequest.call(handler, new DescribeTopicPartitionsRequest(data, (short) 0));
    }
}
