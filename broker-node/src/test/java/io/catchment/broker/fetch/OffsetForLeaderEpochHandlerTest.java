package io.catchment.broker.fetch;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.partition.PartitionView.EpochStart;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeDirectory;
import io.catchment.broker.testing.FakePartition;
import io.catchment.broker.testing.OpenRequest;
import io.catchment.controlplane.Command;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopicCollection;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochRequest;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochResponse;
import org.junit.jupiter.api.Test;

class OffsetForLeaderEpochHandlerTest {
    private static final String TOPIC = "readings";

    private final FakeControlPlane control = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final FakeDirectory directory = new FakeDirectory();
    private final OffsetForLeaderEpochHandler handler = new OffsetForLeaderEpochHandler(directory, control::image);

    private EpochEndOffset ask(int version, String topic, int partition, int currentEpoch, int epoch)
            throws InterruptedException {
        OffsetForLeaderTopicCollection topics = new OffsetForLeaderTopicCollection();
        topics.add(new OffsetForLeaderTopic()
                .setTopic(topic)
                .setPartitions(List.of(new OffsetForLeaderPartition()
                        .setPartition(partition)
                        .setCurrentLeaderEpoch(currentEpoch)
                        .setLeaderEpoch(epoch))));
        OffsetsForLeaderEpochRequest body =
                OffsetsForLeaderEpochRequest.Builder.forConsumer(topics).build((short) version);
        OpenRequest request = new OpenRequest(body, new EmbeddedChannel().eventLoop());
        handler.handle(request);
        return ((OffsetsForLeaderEpochResponse) request.await())
                .data()
                .topics()
                .find(topic)
                .partitions()
                .get(0);
    }

    @Test
    void endsOfEpochsAndKafkasErrorsAtEveryVersion() throws InterruptedException {
        control.submit(
                new Command.CreateTopics(List.of(new Command.CreateTopic(TOPIC, 2, (short) 1, Map.of())), false));
        FakePartition partition = new FakePartition(
                TOPIC, control.image().topic(TOPIC).orElseThrow().topicId(), 0, 1);
        directory.open(partition);
        partition.append(30, 1);
        partition.leaderEpoch = 6;
        partition.epochStarts = List.of(new EpochStart(2, 0), new EpochStart(6, 20));

        for (int version = 3; version <= ApiKeys.OFFSET_FOR_LEADER_EPOCH.latestVersion(); version++) {
            EpochEndOffset old = ask(version, TOPIC, 0, 6, 3);
            assertThat(old.errorCode()).isZero();
            assertThat(old.leaderEpoch()).isEqualTo(2);
            assertThat(old.endOffset()).isEqualTo(20);
            assertThat(ask(version, TOPIC, 0, -1, 6).endOffset()).isEqualTo(30);
            assertThat(ask(version, TOPIC, 0, -1, 7).endOffset()).isEqualTo(-1);
            assertThat(ask(version, TOPIC, 0, 5, 2).errorCode()).isEqualTo(Errors.FENCED_LEADER_EPOCH.code());
            assertThat(ask(version, TOPIC, 0, 7, 2).errorCode()).isEqualTo(Errors.UNKNOWN_LEADER_EPOCH.code());
            assertThat(ask(version, TOPIC, 1, -1, 2).errorCode()).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER.code());
            assertThat(ask(version, TOPIC, 9, -1, 2).errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
            assertThat(ask(version, "nowhere", 0, -1, 2).errorCode())
                    .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        }
    }
}
