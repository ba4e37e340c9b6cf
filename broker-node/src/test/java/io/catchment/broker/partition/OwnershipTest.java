package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.testing.MemoryObjects;
import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.broker.testing.RulesControlPlane.Fate;
import io.catchment.broker.testing.TestBatches;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import io.catchment.wal.Acknowledged;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ProduceResponse.RecordError;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Changes of owner under the control plane's real rules, over a WAL that the test acknowledges by hand; node 1 is the one under test. */
class OwnershipTest {
    private final RulesControlPlane controlPlane = new RulesControlPlane();
    private final FakeWal wal = new FakeWal();
    private final EventLoop loop = new DefaultEventLoop();
    private final StreamReader reader = (stream, from, limit, bytes) -> {
        throw new AssertionError("nothing is published");
    };
    private final List<String> served = new CopyOnWriteArrayList<>();
    private OwnedPartitions partitions;
    private long epoch;

    @BeforeEach
    void node() {
        epoch = controlPlane.register(1);
        partitions = new OwnedPartitions(
                List.of(loop),
                new OwnedPartitions.Dependencies(
                        1,
                        wal,
                        StreamExtents.alone(wal),
                        controlPlane,
                        reader,
                        new MemoryObjects(1),
                        TopicConfigs.of(controlPlane, new TopicSchema(Map.of())),
                        (topic, delayMs) -> {},
                        (use, id, producerEpoch, partition) -> java.util.concurrent.CompletableFuture.completedFuture(
                                org.apache.kafka.common.protocol.Errors.NONE),
                        Time.SYSTEM,
                        1 << 20,
                        86_400_000));
        partitions.addListener(new OwnedPartitions.Listener() {
            @Override
            public void opened(PartitionView partition) {
                served.add("+" + partition.leaderEpoch());
            }

            @Override
            public void closed(PartitionView partition) {
                served.add("-" + partition.leaderEpoch());
            }
        });
    }

    @AfterEach
    void stop() {
        partitions.close();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }

    private void topic() throws Exception {
        controlPlane.now(new Command.CreateTopics(
                List.of(new Command.CreateTopic("t", 1, (short) 1, Map.of(), List.of(1))), false));
        partitions.start(epoch).toCompletableFuture().get(10, TimeUnit.SECONDS);
        await(() -> partitions.openCount() == 1);
    }

    private StreamState stream() {
        return controlPlane.image().streams().iterator().next();
    }

    private PartitionView view() {
        return Objects.requireNonNull(partitions.find("t", 0));
    }

    private void append() throws Exception {
        partitions
                .append(new TopicPartition("t", 0), -1, ByteBuffer.wrap(TestBatches.batch(0, 2, 100)))
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
    }

    private void acknowledge(int count) throws Exception {
        List<Acknowledged> group = wal.queued.subList(0, count).stream().toList();
        partitions.walListener().acknowledged(Lane.NORMAL, group);
        wal.acknowledge(count);
        loop.submit(() -> {}).get(10, TimeUnit.SECONDS);
    }

    private void move(int node) {
        controlPlane.now(
                new Command.MoveStreams(List.of(new Command.Move(stream().streamId(), node)), true));
    }

    private void awaitStopped() throws Exception {
        Partition partition = (Partition) view();
        while (!loop.submit(partition::isResigning).get(10, TimeUnit.SECONDS)) {
            Thread.sleep(1);
        }
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("came true in time").isLessThan(deadline);
            Thread.sleep(2);
        }
    }

    /** A client's append, as far as its answer. */
    private final class Asked implements AppendCompletion {
        private final CompletableFuture<Errors> answer = new CompletableFuture<>();

        Asked() throws Exception {
            PartitionView view = view();
            byte[] bytes = TestBatches.batch(0, 1, 10);
            ByteBuffer batch =
                    ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
            loop.submit(() -> partitions.append(view, batch, Unpooled.EMPTY_BUFFER, this, 0, 1_000))
                    .get(10, TimeUnit.SECONDS);
        }

        @Override
        public void acknowledged(int slot, long baseOffset, long logAppendTimeMs, long logStartOffset) {
            answer.complete(Errors.NONE);
        }

        @Override
        public void failed(
                int slot, Errors error, @Nullable String message, List<RecordError> recordErrors, long logStartOffset) {
            answer.complete(error);
        }
    }

    @Test
    void newsThatComeLateCloseNothing() throws Exception {
        controlPlane.holdNews();
        topic();
        append();
        controlPlane.releaseNews();
        acknowledge(1);
        append();
        controlPlane.now(new Command.DeleteTopics(List.of(stream().topicId())));
        await(() -> partitions.openCount() == 0);
        // It is not counted any more a moment before it is told
        await(() -> served.size() > 1);
        assertThat(served).containsExactly("+1", "-1");
    }

    @Test
    void aStreamIsResignedWhenAllIsAcknowledgedAndItsStateIsLeftBehind() throws Exception {
        topic();
        controlPlane.register(2);
        append();
        long movedNanos = System.nanoTime();
        move(2);
        awaitStopped();
        Asked meanwhile = new Asked();
        assertThat(controlPlane.submitted(Command.ResignStreams.class))
                .as("nothing before the acknowledgement")
                .isEmpty();
        assertThat(wal.queued).hasSize(1);

        acknowledge(1);
        await(() -> wal.queued.size() == 1);
        Acknowledged checkpoint = wal.queued.get(0);
        assertThat(checkpoint.frame().kind()).isEqualTo(FrameKind.CHECKPOINT);
        int length = checkpoint.frame().payload().readableBytes();
        assertThat(controlPlane.submitted(Command.ResignStreams.class)).isEmpty();
        boolean answered = meanwhile.answer.isDone();
        assertThat(answered && System.nanoTime() - movedNanos < TimeUnit.MILLISECONDS.toNanos(Resigning.PATIENCE_MS))
                .as("answered before its patience ended, without being told the new leader")
                .isFalse();

        acknowledge(1);
        await(() -> partitions.openCount() == 0);
        assertThat(meanwhile.answer.get(10, TimeUnit.SECONDS)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(stream().ownerNodeId()).isEqualTo(2);
        assertThat(stream().handover()).isEqualTo(new StreamState.Handover(2, 1, checkpoint.payloadPosition(), length));
        assertThat(partitions.find("t", 0)).isNull();
    }

    @Test
    void anUntouchedStreamLeavesNoFrame() throws Exception {
        topic();
        controlPlane.register(2);
        move(2);
        await(() -> partitions.openCount() == 0);
        assertThat(wal.queued).isEmpty();
        assertThat(stream().ownerNodeId()).isEqualTo(2);
    }

    @Test
    void whatWasHandedOverIsServedWithoutACommand() throws Exception {
        topic();
        controlPlane.register(2);
        move(2);
        await(() -> partitions.openCount() == 0);
        int claims = controlPlane.submitted(Command.OpenStreams.class).size();
        long other = controlPlane.image().node(2).orElseThrow().epoch();
        move(1);
        controlPlane.now(new Command.ResignStreams(
                2, other, List.of(new Command.Resignation(stream().streamId(), 0, 0, 0, 0))));
        await(() -> partitions.openCount() == 1);
        assertThat(view().leaderEpoch()).isEqualTo(stream().epoch());
        assertThat(controlPlane.submitted(Command.OpenStreams.class)).hasSize(claims);
    }

    @Test
    void aRequestThatComesBeforeItsStreamIsOpenGoesOnFirst() throws Exception {
        topic();
        TopicState topic = controlPlane.image().topic("t").orElseThrow();
        long other = controlPlane.register(2);
        move(2);
        await(() -> partitions.openCount() == 0);
        assertThat(partitions.awaitServed(topic, 0)).as("another node's").isNull();

        controlPlane.holdNews();
        move(1);
        controlPlane.now(new Command.ResignStreams(
                2, other, List.of(new Command.Resignation(stream().streamId(), 0, 0, 0, 0))));
        CompletableFuture<PartitionView> early = awaited(topic);
        CompletableFuture<PartitionView> tooLate = awaited(topic);
        CompletableFuture<Boolean> findable = early.thenApply(partition -> partitions.find("t", 0) != null);
        tooLate.completeExceptionally(Errors.NOT_LEADER_OR_FOLLOWER.exception());
        assertThat(early).isNotDone();
        controlPlane.releaseNews();
        assertThat(early.get(10, TimeUnit.SECONDS).leaderEpoch())
                .isEqualTo(stream().epoch());
        assertThat(findable.get(10, TimeUnit.SECONDS)).isFalse();
        await(() -> partitions.openCount() == 1);
        assertThat(awaited(topic)).isCompletedWithValue(view());
    }

    private CompletableFuture<PartitionView> awaited(TopicState topic) {
        return Objects.requireNonNull(partitions.awaitServed(topic, 0)).partition();
    }

    @Test
    void aStreamThatWasTakenOverIsAwaitedWhileItIsOpenedAndNotForLong() throws Exception {
        topic();
        TopicState topic = controlPlane.image().topic("t").orElseThrow();
        controlPlane.register(2);
        move(2);
        await(() -> partitions.openCount() == 0);
        controlPlane.holdNews();
        controlPlane.now(new Command.FenceNode(
                2, controlPlane.image().node(2).orElseThrow().epoch()));
        assertThat(stream().ownerNodeId()).isEqualTo(1);
        OwnedPartitions.Awaited early = Objects.requireNonNull(partitions.awaitServed(topic, 0));
        assertThat(early.patienceMs()).isBetween(1L, 500L);
        controlPlane.releaseNews();
        assertThat(early.partition().get(10, TimeUnit.SECONDS).leaderEpoch())
                .isEqualTo(stream().epoch());
    }

    @Test
    void onlySoManyRequestsWaitForStreams() throws Exception {
        topic();
        TopicState topic = controlPlane.image().topic("t").orElseThrow();
        long other = controlPlane.register(2);
        move(2);
        await(() -> partitions.openCount() == 0);
        controlPlane.holdNews();
        move(1);
        controlPlane.now(new Command.ResignStreams(
                2, other, List.of(new Command.Resignation(stream().streamId(), 0, 0, 0, 0))));
        List<CompletableFuture<PartitionView>> waiting = new ArrayList<>();
        for (int i = 0; i < EarlyRequests.WAITING_MAX; i++) {
            waiting.add(awaited(topic));
        }
        assertThat(partitions.awaitServed(topic, 0)).isNull();
        waiting.get(0).completeExceptionally(Errors.NOT_LEADER_OR_FOLLOWER.exception());
        assertThat(partitions.awaitServed(topic, 0)).as("there is room again").isNotNull();
        controlPlane.releaseNews();
        CompletableFuture.allOf(waiting.subList(1, waiting.size()).toArray(CompletableFuture<?>[]::new))
                .get(10, TimeUnit.SECONDS);
    }

    @Test
    void aMoveThatIsTakenBackLeavesTheStreamServed() throws Exception {
        topic();
        controlPlane.register(2);
        append();
        move(2);
        awaitStopped();
        Asked meanwhile = new Asked();
        move(Command.Move.STAY);
        assertThat(meanwhile.answer.get(10, TimeUnit.SECONDS))
                .as("sent again, it is taken")
                .isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        acknowledge(1);
        append();
        acknowledge(1);
        assertThat(view().highWatermark()).isEqualTo(4);
        assertThat(controlPlane.submitted(Command.ResignStreams.class)).isEmpty();
    }

    @Test
    void aResignationOfUnknownFateThatHappenedIsNotServedOn() throws Exception {
        topic();
        controlPlane.register(2);
        controlPlane.fate(command -> command instanceof Command.ResignStreams ? Fate.UNCERTAIN_DONE : Fate.DONE);
        move(2);
        await(() -> partitions.openCount() == 0);
        assertThat(stream().ownerNodeId()).isEqualTo(2);
        await(() -> served.get(served.size() - 1).startsWith("-"));
    }

    @Test
    void aResignationOfUnknownFateThatDidNotHappenIsTriedAgain() throws Exception {
        topic();
        controlPlane.register(2);
        List<Command<?>> lost = new ArrayList<>();
        controlPlane.fate(command -> {
            boolean lose = command instanceof Command.ResignStreams && lost.size() < 2;
            if (lose) {
                lost.add(command);
            }
            return lose ? (lost.size() == 1 ? Fate.UNCERTAIN_LOST : Fate.UNAVAILABLE) : Fate.DONE;
        });
        append();
        acknowledge(1);
        move(2);
        for (int i = 0; i < 3; i++) {
            await(() -> !wal.queued.isEmpty());
            acknowledge(1);
        }
        await(() -> partitions.openCount() == 0);
        assertThat(lost).hasSize(2);
        assertThat(stream().ownerNodeId()).isEqualTo(2);
    }

    @Test
    void aResignationThatCouldNotEvenBeSentIsTriedAgain() throws Exception {
        topic();
        controlPlane.register(2);
        AtomicInteger asked = new AtomicInteger();
        controlPlane.fate(command -> {
            if (command instanceof Command.ResignStreams && asked.getAndIncrement() == 0) {
                throw new IllegalStateException("injected");
            }
            return Fate.DONE;
        });
        append();
        acknowledge(1);
        move(2);
        for (int i = 0; i < 2; i++) {
            await(() -> !wal.queued.isEmpty());
            acknowledge(1);
        }
        await(() -> partitions.openCount() == 0);
        assertThat(asked).hasValue(2);
        assertThat(stream().ownerNodeId()).isEqualTo(2);
    }

    @Test
    void aClaimOfUnknownFateThatHappenedIsServed() throws Exception {
        controlPlane.fate(command -> command instanceof Command.OpenStreams ? Fate.UNCERTAIN_DONE : Fate.DONE);
        topic();
        assertThat(view().leaderEpoch()).isEqualTo(stream().epoch());
        assertThat(controlPlane.submitted(Command.OpenStreams.class)).hasSize(1);
    }

    @Test
    void aDeadNodesStreamWaitsUntilItsExtentsAreSealed() throws Exception {
        topic();
        long other = controlPlane.register(2);
        move(2);
        await(() -> partitions.openCount() == 0);
        ExtentState extent = controlPlane.now(new Command.CreateExtent(2, other, 1));
        controlPlane.now(new Command.FenceNode(2, other));
        assertThat(stream().ownerNodeId()).isEqualTo(1);
        assertThat(controlPlane.image().writersUnderRecovery()).isNotEmpty();
        for (int i = 0; i < 50; i++) {
            Thread.sleep(2);
            assertThat(partitions.openCount()).isZero();
        }
        ExtentState.Store store = extent.ensemble().get(0);
        assertThat(store.nodeId()).as("the writer's own store is the only one").isEqualTo(2);
        long back = controlPlane.register(2);
        long recovery = controlPlane
                .now(new Command.RecoverExtent(extent.extentId(), 2, back))
                .epoch();
        controlPlane.now(new Command.SealExtent(extent.extentId(), recovery, 0, List.of(store)));
        await(() -> partitions.openCount() == 1);
        assertThat(view().leaderEpoch()).isEqualTo(stream().epoch());
    }
}
