package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.partition.StreamOpening.Found;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.testing.CatalogImage;
import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.broker.testing.TestBatches;
import io.catchment.broker.testing.TrackedBuffers;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.archive.Restoration;
import io.catchment.controlplane.archive.StateArchive;
import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectBytes;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What an owner learns of its streams, and how many reads that takes at a time. */
class StreamOpeningTest {
    private static final int READS_MAX = 16;
    private static final long PRODUCER = 77;
    private static final long STREAM = 9;
    private static final ProducerStateManagerConfig CONFIG = new ProducerStateManagerConfig(86_400_000, true);

    private final FakeWal wal = new FakeWal();
    private final Store store = new Store();
    private final Map<StreamState, Throwable> failures = new HashMap<>();
    private CatalogImage image = CatalogImage.empty().withStream(STREAM);

    @AfterEach
    void everyAnswerIsReleased() throws Exception {
        store.late.shutdown();
        assertThat(store.late.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        assertThat(store.buffers.unreleased()).isZero();
    }

    private List<Found> open(long readTimeoutMs) {
        return open(new StreamOpening.Owner(1, 1), () -> image, readTimeoutMs);
    }

    private List<Found> open(StreamOpening.Owner owner, Supplier<ClusterImage> images, long readTimeoutMs) {
        StreamOpening opening = new StreamOpening(
                owner, new StreamOpening.Sources(StreamExtents.alone(wal), store, store), CONFIG, Time.SYSTEM, images);
        return new OpeningRound(opening, READS_MAX, readTimeoutMs, Time.SYSTEM)
                .find(List.copyOf(images.get().streams()), failures::put);
    }

    private Found openOne() {
        List<Found> found = open(10_000);
        assertThat(failures).isEmpty();
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private static byte[] idempotent(long baseOffset, int sequence, int count) {
        SimpleRecord[] records = new SimpleRecord[count];
        Arrays.setAll(records, i -> new SimpleRecord(i, new byte[] {1}));
        ByteBuffer bytes = MemoryRecords.withIdempotentRecords(
                        baseOffset, Compression.NONE, PRODUCER, (short) 0, sequence, 0, records)
                .buffer();
        byte[] batch = new byte[bytes.remaining()];
        bytes.get(batch);
        return batch;
    }

    /** The state after these batches, as a checkpoint frame has it. */
    private static byte[] checkpoint(byte[]... batches) {
        ProducerStates states = new ProducerStates(new TopicPartition("t", 0), CONFIG, Time.SYSTEM);
        for (byte[] batch : batches) {
            states.replay(ByteBuffer.wrap(batch), 0);
        }
        ByteBuf out = Unpooled.buffer();
        states.writeTo(out);
        return TestBatches.bytes(out);
    }

    private void frame(long extentId, FrameKind kind, long base, int count, byte[] payload) {
        wal.held
                .computeIfAbsent(extentId, id -> new ArrayList<>())
                .add(new FrameEntry(
                        kind,
                        STREAM,
                        0,
                        base,
                        count,
                        1,
                        0,
                        0,
                        payload.length,
                        Arrays.copyOf(payload, Math.min(61, payload.length))));
        image = image.extent(extentId, Phase.SEALED);
    }

    private static boolean knows(Found found, byte[] batch) {
        return found.producers().duplicateOf(ByteBuffer.wrap(batch), 0) != null;
    }

    @Test
    void aNewStreamIsEmpty() {
        Found found = openOne();
        assertThat(found.endOffset()).isZero();
        assertThat(found.producers().isEmpty()).isTrue();
    }

    @Test
    void aStreamThatARecoveryHasCutShortOpensWhereItsPublishedPartEnds() throws Exception {
        RulesControlPlane old = new RulesControlPlane();
        long epoch = old.register(1);
        old.now(new Command.CreateTopics(List.of(new Command.CreateTopic("t", 1, (short) 1, Map.of())), false));
        long stream = old.image().topic("t").orElseThrow().streams().get(0);
        old.now(new Command.OpenStreams(1, epoch, List.of(new Command.Claim(stream, 0))));
        byte[] published = idempotent(0, 0, 10);
        long object = flushed(old, epoch, List.of(new Command.NewRange(stream, 0, 10, 0, 100, 1, 1)));
        // What the next epoch began with is in no object when all machines are gone; nor what the state of its
        // producers is of
        old.now(new Command.UnregisterNode(1, epoch));
        long next = old.register(1);
        old.now(new Command.OpenStreams(1, next, List.of(new Command.Claim(stream, 25))));
        long ahead = flushed(old, next, List.of(), new Command.NewCheckpoint(stream, 25, 0, 50));
        assertThat(old.image().stream(stream).orElseThrow().checkpoint()).isNotNull();
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        StateArchive.write(old.image(), 1, archive);

        Restoration restoration = new Restoration(
                StateArchive.read(ByteBuffer.wrap(archive.toByteArray())), "new", new Uuid(4, 2), 2, 1_000);
        restoration.listed(object, 100);
        restoration.listed(ahead, 100);
        Restoration.Restored restored = restoration.finish();
        assertThat(restored.shortened()).isEqualTo(Map.of(stream, 15L));
        RulesControlPlane control = new RulesControlPlane(restored.image());
        long nodeEpoch = control.register(1);
        store.batches = List.of(published);
        List<Found> all = open(new StreamOpening.Owner(1, nodeEpoch), control::image, 10_000);
        assertThat(failures).isEmpty();
        assertThat(all).hasSize(1);
        Found found = all.get(0);
        assertThat(found.endOffset()).isEqualTo(10);
        assertThat(knows(found, published)).isTrue();
        assertThat(control.now(
                        new Command.OpenStreams(1, nodeEpoch, List.of(new Command.Claim(stream, found.endOffset())))))
                .containsKey(stream);
    }

    private static long flushed(
            RulesControlPlane control,
            long epoch,
            List<Command.NewRange> ranges,
            Command.NewCheckpoint... checkpoints) {
        long object =
                control.now(new Command.PrepareObjects(1, epoch, 1, 3_600_000)).get(0);
        ExtentState extent = control.now(new Command.CreateExtent(1, epoch, 1));
        control.now(new Command.SealExtent(extent.extentId(), epoch, 100, extent.ensemble()));
        control.now(new Command.PublishFlush(1, epoch, extent.extentId(), object, 100, ranges, List.of(checkpoints)));
        return object;
    }

    @Test
    void theNewestCheckpointOfAnExtentAndTheHeadersAfterItAreEnough() {
        byte[] first = idempotent(0, 0, 2);
        byte[] second = idempotent(2, 2, 3);
        byte[] third = idempotent(5, 5, 1);
        frame(1, FrameKind.DATA, 0, 2, first);
        frame(1, FrameKind.CHECKPOINT, 2, 0, checkpoint());
        frame(2, FrameKind.DATA, 2, 3, second);
        frame(2, FrameKind.CHECKPOINT, 5, 0, checkpoint(first, second));
        frame(3, FrameKind.DATA, 5, 1, third);
        wal.payloads = entry -> {
            assertThat(entry.baseOffset()).isEqualTo(5);
            return CompletableFuture.completedStage(store.buffers.track(TestBatches.buffer(checkpoint(first, second))));
        };
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(6);
        assertThat(knows(found, first)).isTrue();
        assertThat(knows(found, second)).isTrue();
        assertThat(knows(found, third)).isTrue();
        assertThat(store.reads.get()).isZero();
    }

    @Test
    void aPublishedCheckpointIsFollowedByThePublishedBatchesAfterItAndTheFramesAfterThose() {
        byte[] first = idempotent(0, 0, 2);
        byte[] second = idempotent(2, 2, 3);
        byte[] third = idempotent(5, 5, 1);
        byte[] fourth = idempotent(6, 6, 1);
        image = image.published(STREAM, 100, List.of(first))
                .published(STREAM, 101, List.of(second, third))
                .checkpoint(STREAM, 102, 2, checkpoint(first).length);
        store.checkpoints = stream -> checkpoint(first);
        store.batches = List.of(first, second, third);
        frame(7, FrameKind.DATA, 5, 1, third);
        frame(7, FrameKind.DATA, 6, 1, fourth);
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(7);
        for (byte[] batch : List.of(first, second, third, fourth)) {
            assertThat(knows(found, batch)).isTrue();
        }
        assertThat(store.reads.get())
                .as("checkpoint and two batches, one a read")
                .isEqualTo(3);
    }

    @Test
    void aPublishedCheckpointIsReadFromItsExtentAsLongAsThatIsHere() {
        byte[] first = idempotent(0, 0, 2);
        byte[] second = idempotent(2, 2, 3);
        int length = checkpoint(first).length;
        frame(3, FrameKind.DATA, 0, 2, first);
        frame(3, FrameKind.CHECKPOINT, 2, 0, checkpoint(first));
        frame(4, FrameKind.DATA, 2, 3, second);
        image = image.published(STREAM, 100, List.of(first)).checkpoint(STREAM, 102, 2, length, 3);
        wal.payloads = entry -> entry.baseOffset() == 2
                ? CompletableFuture.completedStage(store.buffers.track(TestBatches.buffer(checkpoint(first))))
                : CompletableFuture.failedStage(new AssertionError("only the checkpoint's payload is wanted"));
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(5);
        assertThat(knows(found, first)).isTrue();
        assertThat(knows(found, second)).isTrue();
        assertThat(store.reads.get()).as("the object store is not asked").isZero();
    }

    @Test
    void aPublishedCheckpointWhoseExtentCannotBeReadIsReadFromItsObject() {
        byte[] first = idempotent(0, 0, 2);
        frame(3, FrameKind.CHECKPOINT, 2, 0, checkpoint(first));
        image = image.published(STREAM, 100, List.of(first)).checkpoint(STREAM, 102, 2, checkpoint(first).length, 3);
        wal.payloads = entry -> CompletableFuture.failedStage(new java.io.IOException("injected EIO"));
        store.checkpoints = stream -> checkpoint(first);
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(2);
        assertThat(knows(found, first)).isTrue();
        assertThat(store.reads.get()).isEqualTo(1);
    }

    @Test
    void aLongLogWithoutACheckpointIsReplayedWithoutDeepRecursion() {
        List<byte[]> batches = new ArrayList<>();
        for (int i = 0; i < 30_000; i++) {
            batches.add(idempotent(i, i, 1));
        }
        image = image.published(STREAM, 100, batches);
        store.batches = batches;
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(30_000);
        assertThat(knows(found, batches.get(29_999))).isTrue();
    }

    @Test
    void offsetsThatAreNowhereAreAFailureOfTheirStreamOnly() {
        image = image.withStream(STREAM + 1);
        frame(3, FrameKind.DATA, 5, 1, idempotent(5, 0, 1));
        List<Found> found = open(10_000);
        assertThat(found).extracting(one -> one.stream().streamId()).containsExactly(STREAM + 1);
        assertThat(failures).hasSize(1);
        assertThat(failures.values().iterator().next()).hasMessageContaining("misses offsets 0 to 5");
    }

    private void manyStreams(int count) {
        byte[] oneProducer = checkpoint(idempotent(0, 0, 1));
        for (int i = 0; i < count; i++) {
            image = image.withStream(1_000 + i).checkpoint(1_000 + i, 1_000 + i, 0, oneProducer.length);
        }
        store.checkpoints = stream -> oneProducer;
    }

    @Test
    void manyStreamsHaveTheirReadsUnderWayTogetherUpToTheBound() {
        manyStreams(2_000);
        store.latencyMs = 5;
        long started = System.nanoTime();
        List<Found> found = open(10_000);
        assertThat(failures).isEmpty();
        assertThat(found).hasSize(2_001);
        assertThat(found.stream().map(Found::stream).distinct()).hasSize(2_001);
        assertThat(store.underWayMax.get()).isEqualTo(READS_MAX);
        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started))
                .as("one after the other it takes 10 s at least")
                .isLessThan(8_000);
    }

    @Test
    void aReadThatFailsOrNeverEndsFailsItsStreamAndNoOther() {
        manyStreams(100);
        store.latencyMs = 1;
        store.failing = 1_007;
        store.hanging = 1_042;
        List<Found> found = open(300);
        assertThat(found).hasSize(99);
        assertThat(failures.keySet()).extracting(StreamState::streamId).containsExactlyInAnyOrder(1_007L, 1_042L);
        // Its answer comes after all: nobody wants it, and it must not leak
        store.hung.complete(store.buffers.track(TestBatches.buffer(checkpoint())));
    }

    /** Checkpoints and batches of published objects, after a while. */
    private static final class Store implements ObjectBytes, StreamReader {
        final TrackedBuffers buffers = new TrackedBuffers();
        final AtomicInteger reads = new AtomicInteger();
        final AtomicInteger underWayMax = new AtomicInteger();
        final CompletableFuture<ByteBuf> hung = new CompletableFuture<>();
        final ScheduledExecutorService late = Executors.newScheduledThreadPool(2);
        private final AtomicInteger underWay = new AtomicInteger();
        java.util.function.LongFunction<byte[]> checkpoints = object -> {
            throw new AssertionError("no checkpoints");
        };
        List<byte[]> batches = List.of();
        long latencyMs;
        long failing = -1;
        long hanging = -1;

        private <T> CompletionStage<T> answer(Supplier<T> value) {
            reads.incrementAndGet();
            if (latencyMs == 0) {
                return CompletableFuture.completedStage(value.get());
            }
            underWayMax.accumulateAndGet(underWay.incrementAndGet(), Math::max);
            CompletableFuture<T> result = new CompletableFuture<>();
            late.schedule(
                    () -> {
                        underWay.decrementAndGet();
                        try {
                            result.complete(value.get());
                        } catch (IllegalStateException injected) {
                            result.completeExceptionally(injected);
                        }
                    },
                    latencyMs,
                    TimeUnit.MILLISECONDS);
            return result;
        }

        @Override
        public CompletionStage<Manifest> manifest(long objectId, long objectBytes) {
            throw new AssertionError("opening a stream reads no manifest");
        }

        @Override
        public CompletionStage<ByteBuf> bytes(long objectId, long objectBytes, long position, int length) {
            if (objectId == hanging) {
                return hung;
            }
            return answer(() -> {
                if (objectId == failing) {
                    throw new IllegalStateException("injected");
                }
                return buffers.track(TestBatches.buffer(checkpoints.apply(objectId)));
            });
        }

        @Override
        public CompletionStage<BatchRun> read(long streamId, long fromOffset, long limitOffset, int bytesMax) {
            return answer(() -> {
                int low = 0;
                int high = batches.size() - 1;
                while (low < high) {
                    int middle = (low + high) >>> 1;
                    if (TestBatches.endOffset(batches.get(middle)) > fromOffset) {
                        high = middle;
                    } else {
                        low = middle + 1;
                    }
                }
                byte[] batch = batches.get(low);
                return new BatchRun(
                        TestBatches.baseOffset(batch),
                        TestBatches.endOffset(batch),
                        buffers.track(TestBatches.buffer(batch)));
            });
        }
    }
}
