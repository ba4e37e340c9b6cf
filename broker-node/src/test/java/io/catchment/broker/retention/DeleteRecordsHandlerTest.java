package io.catchment.broker.retention;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeDirectory;
import io.catchment.broker.testing.FakePartition;
import io.catchment.broker.testing.OpenRequest;
import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.broker.testing.TestTopicConfigs;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.TopicState;
import io.catchment.wal.Lane;
import io.netty.channel.DefaultEventLoop;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DeleteRecordsRequest;
import org.apache.kafka.common.requests.DeleteRecordsResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeleteRecordsHandlerTest {
    private static final int NODE = 1;
    private static final String TOPIC = "t";
    private static final int TIMEOUT_MS = 10_000;

    private final DefaultEventLoop eventLoop = new DefaultEventLoop();
    private final RulesControlPlane control = new RulesControlPlane();
    private final long epoch = control.register(NODE);
    private final FakeDirectory directory = new FakeDirectory();
    private final DeleteRecordsHandler handler =
            new DeleteRecordsHandler(directory, control, topic -> TestTopicConfigs.plain(Lane.NORMAL), NODE, epoch);
    private FakePartition partition = new FakePartition("none", org.apache.kafka.common.Uuid.ZERO_UUID, 0, 0);

    @BeforeEach
    void anOpenPartitionOfTenRecords() {
        control.now(new Command.CreateTopics(List.of(new Command.CreateTopic(TOPIC, 1, (short) 1, Map.of())), false));
        TopicState topic = control.image().topic(TOPIC).orElseThrow();
        long stream = topic.streams().get(0);
        control.now(new Command.OpenStreams(NODE, epoch, List.of(new Command.Claim(stream, 10))));
        partition = new FakePartition(TOPIC, topic.topicId(), 0, stream);
        partition.append(10, 10);
        directory.open(partition);
    }

    @AfterEach
    void nobodyWatches() throws InterruptedException {
        assertThat(partition.watchers()).isZero();
        eventLoop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS).await();
    }

    private OpenRequest delete(long offset, int timeoutMs) {
        var topic = new DeleteRecordsTopic()
                .setName(TOPIC)
                .setPartitions(List.of(
                        new DeleteRecordsPartition().setPartitionIndex(0).setOffset(offset)));
        var data = new DeleteRecordsRequestData().setTimeoutMs(timeoutMs).setTopics(List.of(topic));
        var request = new OpenRequest(new DeleteRecordsRequest.Builder(data).build((short) 2), eventLoop);
        handler.handle(request);
        return request;
    }

    private static DeleteRecordsPartitionResult result(OpenRequest request) throws InterruptedException {
        return ((DeleteRecordsResponse) request.await())
                .data()
                .topics()
                .find(TOPIC)
                .partitions()
                .find(0);
    }

    private void begins(long offset) {
        partition.logStartOffset = offset;
        partition.announce();
    }

    /** Else a ListOffsets right after the answer may name what is deleted. */
    @Test
    void theAnswerWaitsUntilThePartitionBeginsThere() throws Exception {
        OpenRequest request = delete(5, TIMEOUT_MS);
        assertThat(control.image().stream(partition.streamId()).orElseThrow().logStartOffset())
                .isEqualTo(5);
        begins(3);
        assertThat(request.isAnswered()).isFalse();
        begins(5);
        DeleteRecordsPartitionResult result = result(request);
        assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.NONE);
        assertThat(result.lowWatermark()).isEqualTo(5);
    }

    @Test
    void itDoesNotWaitForAPartitionThatIsServedHereNoLonger() throws Exception {
        OpenRequest request = delete(DeleteRecordsRequest.HIGH_WATERMARK, TIMEOUT_MS);
        partition.stopServing();
        assertThat(result(request).lowWatermark()).isEqualTo(10);
    }

    @Test
    void whoWaitsNoLongerHearsOfItsTimeout() throws Exception {
        OpenRequest request = delete(5, 20);
        assertThat(Errors.forCode(result(request).errorCode())).isEqualTo(Errors.REQUEST_TIMED_OUT);
        begins(5);
    }

    @Test
    void whatIsDeletedAlreadyIsAnsweredAtOnce() throws Exception {
        partition.logStartOffset = 7;
        assertThat(result(delete(5, TIMEOUT_MS)).lowWatermark()).isEqualTo(7);
        assertThat(control.submitted(Command.TrimStreams.class)).isEmpty();
    }
}
