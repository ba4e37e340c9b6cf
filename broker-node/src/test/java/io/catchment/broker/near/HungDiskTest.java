package io.catchment.broker.near;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.controlplane.Command;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** On real threads: a look into this node's copy that does not come back. Node 1 owns, node 2 reads. */
class HungDiskTest {
    private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final FakeControlPlane control =
            new FakeControlPlane().withNode(1, "PLAINTEXT").withNode(2, "PLAINTEXT");
    private final CountDownLatch hung = new CountDownLatch(1);
    private final NearPartitions near = new NearPartitions(
            2,
            1,
            "zone-2",
            control::image,
            node -> Optional.of(new Node(node.nodeId(), "host", 1)),
            this::look,
            new Owner(),
            new SerialThread("near"),
            SerialThread.readingFiles("near-copies"),
            NearMetrics.NONE,
            new SplittableRandom(7));

    private OptionalLong look(PartitionView partition) {
        try {
            hung.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("an interrupt closes the file that is read", e);
        }
        return OptionalLong.of(0);
    }

    @AfterEach
    void end() {
        near.close();
        hung.countDown();
    }

    /** Answers the first request of a session, which is without one, and is silent then. */
    private static final class Owner implements OwnerQuestions {
        private boolean answered;

        @Override
        public CompletionStage<FetchResponse> ask(Node owner, FetchRequest.Builder request) {
            if (answered) {
                return new CompletableFuture<>();
            }
            answered = true;
            LinkedHashMap<TopicIdPartition, PartitionData> answers = new LinkedHashMap<>();
            request.build(ApiKeys.FETCH.latestVersion()).data().topics().forEach(topic -> topic.partitions()
                    .forEach(partition -> answers.put(
                            new TopicIdPartition(topic.topicId(), partition.partition(), "readings"),
                            new PartitionData()
                                    .setPartitionIndex(partition.partition())
                                    .setHighWatermark(5)
                                    .setLastStableOffset(5))));
            return CompletableFuture.completedFuture(FetchResponse.of(Errors.NONE, 0, 7, answers, List.of()));
        }

        @Override
        public void close() {}
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + DEADLINE_NANOS;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void readersHearWhatTheOwnerSaysAndThatItIsSilent() {
        control.submit(new Command.CreateTopics(
                List.of(new Command.CreateTopic("readings", 1, (short) 1, Map.of(), List.of(1))), false));
        Uuid topicId = control.image().topic("readings").orElseThrow().topicId();
        near.start();
        PartitionView view = near.find("readings", topicId, 0);
        assertThat(view).isNotNull();
        await(() -> view.highWatermark() == 5);
        await(view::isBehind);
    }
}
