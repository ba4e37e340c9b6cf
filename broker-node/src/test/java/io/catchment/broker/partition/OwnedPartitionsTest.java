package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.MemoryObjects;
import io.catchment.broker.testing.TestBatches;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.controlplane.Command;
import io.catchment.wal.Acknowledged;
import io.catchment.wal.Lane;
import io.netty.buffer.ByteBuf;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Time;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Opening and closing on real event loops, over a WAL that the test acknowledges by hand. */
class OwnedPartitionsTest {
    private static final int PARTITIONS = 5;

    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final FakeWal wal = new FakeWal();
    private final List<EventLoop> loops = List.of(new DefaultEventLoop(), new DefaultEventLoop());
    private final StreamReader reader = (stream, from, limit, bytes) -> {
        throw new AssertionError("nothing is published");
    };
    private final OwnedPartitions partitions = new OwnedPartitions(
            loops,
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

    @AfterEach
    void stop() {
        partitions.close();
        loops.forEach(loop -> loop.shutdownGracefully(0, 1, TimeUnit.SECONDS));
    }

    private void open() throws Exception {
        controlPlane.applyNow(new Command.CreateTopics(
                List.of(new Command.CreateTopic("t", PARTITIONS, (short) 1, Map.of())), false));
        partitions.start(1).toCompletableFuture().get(10, TimeUnit.SECONDS);
        assertThat(partitions.openCount()).isEqualTo(PARTITIONS);
    }

    private PartitionView view(int partition) {
        return Objects.requireNonNull(partitions.find("t", partition));
    }

    private List<ByteBuf> appendToEach() throws Exception {
        List<ByteBuf> payloads = new ArrayList<>();
        for (int i = 0; i < PARTITIONS; i++) {
            CompletableFuture<Long> end = partitions
                    .append(new TopicPartition("t", i), -1, ByteBuffer.wrap(TestBatches.batch(0, 2, 100)))
                    .toCompletableFuture();
            assertThat(end.get(10, TimeUnit.SECONDS)).isEqualTo(2);
            payloads.add(wal.queued.get(wal.queued.size() - 1).frame().payload());
        }
        return payloads;
    }

    private void acknowledge(int count) throws Exception {
        List<Acknowledged> group = wal.acknowledge(count);
        partitions.walListener().acknowledged(Lane.NORMAL, group);
        passLoops();
    }

    private void passLoops() throws Exception {
        for (EventLoop loop : loops) {
            loop.submit(() -> {}).get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void closingReleasesWhatTheTailsHold() throws Exception {
        open();
        List<ByteBuf> payloads = appendToEach();
        acknowledge(PARTITIONS);
        PartitionView one = view(0);
        assertThat(one.highWatermark()).isEqualTo(2);
        assertThat(payloads).as("held by the tails").allMatch(payload -> payload.refCnt() == 1);

        partitions.close();
        assertThat(payloads).allMatch(payload -> payload.refCnt() == 0);
        assertThat(one.serving()).isFalse();
        assertThat(one.readTail(0, 1000)).isNull();
        partitions.close();
    }

    @Test
    void whatIsAcknowledgedAfterTheCloseIsReleasedToo() throws Exception {
        open();
        List<ByteBuf> payloads = appendToEach();
        partitions.close();
        assertThat(payloads).as("the WAL has them").allMatch(payload -> payload.refCnt() > 0);
        acknowledge(PARTITIONS);
        assertThat(payloads).allMatch(payload -> payload.refCnt() == 0);
    }

    @Test
    void closingAfterTheLoopsEndedDoesNotWait() throws Exception {
        open();
        for (EventLoop loop : loops) {
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).get(10, TimeUnit.SECONDS);
        }
        long started = System.nanoTime();
        partitions.close();
        assertThat(System.nanoTime() - started).isLessThan(TimeUnit.SECONDS.toNanos(4));
    }
}
