package io.catchment.broker.produce;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.LeaderIdAndEpoch;
import org.apache.kafka.common.message.ProduceResponseData.NodeEndpoint;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.junit.jupiter.api.Test;

class LeaderHintsTest {
    private static final short LATEST = ApiKeys.PRODUCE.latestVersion();

    private final FakeControlPlane controlPlane = new FakeControlPlane()
            .withNode(1, "PLAINTEXT")
            .withNode(2, "PLAINTEXT", "WAL")
            .withNode(3, "PLAINTEXT");
    private final AtomicInteger looks = new AtomicInteger();

    LeaderHintsTest() {
        controlPlane.applyNow(new Command.CreateTopics(
                List.of(new Command.CreateTopic("t", 3, (short) 1, Map.of(), List.of(2, 2, 3))), false));
    }

    @Test
    void aProducerAtTheWrongNodeHearsOfTheRightOne() {
        ProduceResponseData answer =
                produce(LATEST, Errors.NOT_LEADER_OR_FOLLOWER, Errors.NOT_LEADER_OR_FOLLOWER, Errors.NONE);
        assertThat(leaderOf(answer, 0).leaderId()).isEqualTo(2);
        assertThat(leaderOf(answer, 0).leaderEpoch())
                .isEqualTo(controlPlane.stream("t", 0).epoch());
        assertThat(leaderOf(answer, 1).leaderId()).isEqualTo(2);
        assertThat(leaderOf(answer, 2)).as("is here").isEqualTo(new LeaderIdAndEpoch());
        assertThat(answer.nodeEndpoints()).hasSize(1);
        NodeEndpoint node = answer.nodeEndpoints().find(2);
        assertThat(node.host()).isEqualTo("host-2");
        assertThat(node.port()).isEqualTo(9200);
        assertThat(node.rack()).isEqualTo("zone-2");
    }

    @Test
    void aNewOwnerIsNamedAlsoBeforeItHasOpenedThePartition() {
        controlPlane.assignStream("t", 0, 3);
        ProduceResponseData early = produce(LATEST, Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(leaderOf(early, 0).leaderId()).isEqualTo(3);
        assertThat(early.nodeEndpoints().find(3).port()).isEqualTo(9300);

        controlPlane.applyNow(new Command.OpenStreams(
                3, 3, List.of(new Command.Claim(controlPlane.stream("t", 0).streamId(), 0))));
        ProduceResponseData open = produce(LATEST, Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(leaderOf(open, 0).leaderId()).isEqualTo(3);
        assertThat(leaderOf(open, 0).leaderEpoch())
                .isGreaterThan(leaderOf(early, 0).leaderEpoch());
        assertThat(open.nodeEndpoints().find(3).port()).isEqualTo(9300);
    }

    @Test
    void aFencedOwnerIsNoLeader() {
        controlPlane.fenceNode(2, true);
        assertThat(leaderOf(produce(LATEST, Errors.NOT_LEADER_OR_FOLLOWER), 0).leaderId())
                .isEqualTo(-1);
    }

    @Test
    void topicsByNameAreHintedAtTooAndVersionsBeforeThatAreNot() {
        assertThat(leaderOf(produce((short) 12, Errors.NOT_LEADER_OR_FOLLOWER), 0)
                        .leaderId())
                .isEqualTo(2);
        assertThat(leaderOf(produce((short) 10, Errors.NOT_LEADER_OR_FOLLOWER), 0)
                        .leaderId())
                .isEqualTo(2);
        assertThat(leaderOf(produce((short) 9, Errors.NOT_LEADER_OR_FOLLOWER), 0)
                        .leaderId())
                .isEqualTo(-1);
    }

    @Test
    void nobodyLooksWhenNobodyIsAtTheWrongNode() {
        produce(LATEST, Errors.NONE, Errors.KAFKA_STORAGE_ERROR, Errors.NONE);
        assertThat(looks).hasValue(0);
    }

    /** Each partition of the topic from 0 on has the outcome given. */
    private ProduceResponseData produce(short version, Errors... outcomes) {
        ApiHandler handler = new ApiHandler() {
            @Override
            public ApiKeys api() {
                return ApiKeys.PRODUCE;
            }

            @Override
            public void handle(Request request) {
                ProduceAttempt attempt =
                        new ProduceAttempt(request, (ProduceRequest) request.body(), outcomes.length, () -> {
                            looks.incrementAndGet();
                            return controlPlane.image();
                        });
                for (int slot = 0; slot < outcomes.length; slot++) {
                    if (outcomes[slot] == Errors.NONE) {
                        attempt.acknowledged(slot, 0, -1, 0);
                    } else {
                        attempt.failed(slot, outcomes[slot], null, List.of(), 0);
                    }
                }
            }
        };
        List<PartitionProduceData> partitions = new ArrayList<>();
        for (int partition = 0; partition < outcomes.length; partition++) {
            partitions.add(new PartitionProduceData().setIndex(partition).setRecords(MemoryRecords.EMPTY));
        }
        boolean byId = version >= 13;
        Uuid topicId = controlPlane.image().topic("t").orElseThrow().topicId();
        TopicProduceDataCollection topics = new TopicProduceDataCollection();
        topics.add(new TopicProduceData()
                .setName(byId ? "" : "t")
                .setTopicId(byId ? topicId : Uuid.ZERO_UUID)
                .setPartitionData(partitions));
        ProduceRequest request = new ProduceRequest(
                new ProduceRequestData()
                        .setAcks((short) -1)
                        .setTimeoutMs(10_000)
                        .setTopicData(topics),
                version);
        return ((ProduceResponse) FakeRequest.call(handler, request)).data();
    }

    private static LeaderIdAndEpoch leaderOf(ProduceResponseData answer, int partition) {
        PartitionProduceResponse found =
                answer.responses().iterator().next().partitionResponses().get(partition);
        return found.currentLeader();
    }
}
