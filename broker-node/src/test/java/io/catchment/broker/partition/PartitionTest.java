package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.testing.TestTopicConfigs;
import io.catchment.wal.Acknowledged;
import io.catchment.wal.Admission;
import io.catchment.wal.Authority;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.DefaultEventLoop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.ProduceResponse.RecordError;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The owner's rules, driven on the test's own thread in place of the event loop. */
class PartitionTest {
    private static final TopicPartition NAME = new TopicPartition("t", 0);
    private static final long PRODUCER = 4711;

    private final FakeWal wal = new FakeWal();
    private CompletableFuture<Errors> verdict = CompletableFuture.completedFuture(Errors.NONE);
    /** Of single epochs. */
    private final Map<Short, CompletableFuture<Errors>> verdicts = new ConcurrentHashMap<>();

    private Lane lane = Lane.NORMAL;
    private final ServingRight right = new ServingRight();
    private final DefaultEventLoop eventLoop = new DefaultEventLoop();
    private final PartitionLoop loop = new PartitionLoop(
            eventLoop,
            new PartitionServices(
                    wal,
                    topic -> TestTopicConfigs.plain(lane),
                    new LaneFaults(),
                    right,
                    (topic, delayMs) -> {},
                    (use, id, producerEpoch, partition) -> verdicts.getOrDefault(producerEpoch, verdict),
                    Time.SYSTEM),
            100_000);
    private final Partition partition = new Partition(
            new OpenedStream(NAME, Uuid.randomUuid(), 9, 5, 10, 0, 100, List.of(new PartitionView.EpochStart(5, 100))),
            producers(),
            loop);
    private final Outcomes outcomes = new Outcomes();
    private final List<ByteBuf> requests = new ArrayList<>();

    @AfterEach
    void everythingIsReleasedWhenThePartitionCloses() {
        loop.remove(partition, Errors.NOT_LEADER_OR_FOLLOWER);
        acknowledge(wal.queued.size());
        for (ByteBuf request : requests) {
            assertThat(request.refCnt()).isZero();
        }
        var unused = eventLoop.shutdownGracefully(0, 1, java.util.concurrent.TimeUnit.SECONDS);
    }

    @Test
    void offsetsAreGivenInOrderAndAnsweredOnlyWhenAcknowledged() {
        append(plain(3), 0);
        append(plain(2), 1);

        assertThat(outcomes.answers).isEmpty();
        assertThat(partition.highWatermark()).isEqualTo(100);
        assertThat(partition.readTail(100, 1000)).isNull();
        assertThat(wal.queued).extracting(entry -> entry.frame().baseOffset()).containsExactly(100L, 103L);

        acknowledge(1);
        assertThat(outcomes.answers).containsExactly("0:100");
        assertThat(partition.highWatermark()).isEqualTo(103);
        acknowledge(1);
        assertThat(outcomes.answers).containsExactly("0:100", "1:103");
    }

    @Test
    void theFrameIsTheRequestsMemoryWithOffsetAndLeaderEpochPatched() {
        append(plain(3), 0);
        ByteBuffer written = wal.queued.get(0).frame().payload().nioBuffer();
        assertThat(BatchHeader.baseOffset(written, 0)).isEqualTo(100);
        assertThat(BatchHeader.leaderEpoch(written, 0)).isEqualTo(5);
        assertThat(BatchHeader.baseOffset(requests.get(0).nioBuffer(), 0)).isEqualTo(100);
    }

    @Test
    void theTailServesWholeAcknowledgedBatchesFromAnOffsetInsideThem() {
        append(plain(3), 0);
        append(plain(2), 1);
        append(plain(4), 2);
        acknowledge(2);

        BatchRun run = read(101, 100_000);
        assertThat(run.baseOffset()).isEqualTo(100);
        assertThat(run.endOffset()).isEqualTo(105);
        assertThat(BatchHeader.baseOffset(run.payload().nioBuffer(), 0)).isEqualTo(100);
        run.payload().release();
        BatchRun one = read(100, 1);
        assertThat(one.endOffset()).isEqualTo(103);
        one.payload().release();
        assertThat(partition.readTail(105, 1000)).isNull();
        assertThat(partition.readTail(99, 1000)).isNull();
    }

    @Test
    void theTailBudgetEvictsTheOldestBatches() {
        for (int i = 0; i < 50; i++) {
            append(records(new SimpleRecord(1, new byte[10_000])), i);
        }
        acknowledge(50);
        assertThat(loop.tailBudget().bytes()).isBetween(80_000L, 100_000L);
        assertThat(partition.readTail(100, 1)).isNull();
        assertThat(requests.get(0).refCnt()).isZero();
        BatchRun newest = read(149, 1);
        newest.payload().release();
    }

    @Test
    void aRetryOfAnIdempotentBatchGetsTheFirstOffsetsOnceThoseAreAcknowledged() {
        append(idempotent(0, 3), 0);
        append(idempotent(0, 3), 1);
        assertThat(wal.queued).hasSize(1);
        assertThat(outcomes.answers).isEmpty();
        acknowledge(1);
        assertThat(outcomes.answers).containsExactly("0:100", "1:100");
        append(idempotent(0, 3), 2);
        assertThat(outcomes.answers).containsExactly("0:100", "1:100", "2:100");
        append(idempotent(3, 1), 3);
        acknowledge(1);
        assertThat(outcomes.answers).endsWith("3:103");
    }

    @Test
    void aGapInTheSequenceIsRefusedAndTakesNoOffset() {
        append(idempotent(0, 3), 0);
        append(idempotent(7, 1), 1);
        assertThat(outcomes.answers).containsExactly("1:OUT_OF_ORDER_SEQUENCE_NUMBER");
        append(idempotent(3, 1), 2);
        acknowledge(2);
        assertThat(outcomes.answers).endsWith("0:100", "2:103");
    }

    @Test
    void aCorruptBatchIsRefusedWithKafkasError() {
        ByteBuffer batch = plain(1);
        batch.put(batch.limit() - 1, (byte) (batch.get(batch.limit() - 1) ^ 1));
        append(batch, 0);
        append(records(new SimpleRecord(1, new byte[2_000_000])), 1);
        assertThat(outcomes.answers).containsExactly("0:CORRUPT_MESSAGE", "1:MESSAGE_TOO_LARGE");
        assertThat(wal.queued).isEmpty();
    }

    @Test
    void compressedBatchesGoKafkasWayAndKeepTheirBytes() {
        MemoryRecords gzip = MemoryRecords.withRecords(
                Compression.gzip().build(), new SimpleRecord(1, new byte[500]), new SimpleRecord(2, new byte[500]));
        append(gzip.buffer(), 0);
        acknowledge(1);
        assertThat(outcomes.answers).containsExactly("0:100");
        BatchRun run = read(100, 1000);
        MemoryRecords back = MemoryRecords.readableRecords(run.payload().nioBuffer());
        assertThat(back.batches().iterator().next().isValid()).isTrue();
        assertThat(back.records()).hasSize(2);
        run.payload().release();
    }

    @Test
    void aFaultEndsTheWaitsButNotTheFramesAndARetryFindsTheOriginal() {
        append(idempotent(0, 2), 0);
        wal.admission = Admission.SUSPENDED;
        partition.endWaits(Lane.NORMAL, Errors.KAFKA_STORAGE_ERROR, "disk full");
        append(idempotent(0, 2), 1);
        append(plain(1), 2);
        assertThat(outcomes.answers)
                .containsExactly("0:KAFKA_STORAGE_ERROR", "1:KAFKA_STORAGE_ERROR", "2:KAFKA_STORAGE_ERROR");

        wal.admission = Admission.ACCEPTED;
        acknowledge(1);
        assertThat(partition.highWatermark()).isEqualTo(102);
        append(idempotent(0, 2), 3);
        assertThat(outcomes.answers).endsWith("3:100");
        append(idempotent(2, 1), 4);
        acknowledge(1);
        assertThat(outcomes.answers).endsWith("4:102");
    }

    @Test
    void theLaneChangesOnlyWhenNothingIsInFlight() {
        append(plain(1), 0);
        lane = Lane.URGENT;
        append(plain(1), 1);
        acknowledge(2);
        append(plain(1), 2);
        assertThat(wal.lanes).containsExactly(Lane.NORMAL, Lane.NORMAL, Lane.URGENT);
    }

    @Test
    void aCheckpointGivesTheNextOwnerTheSameProducers() {
        for (int i = 0; i < 7; i++) {
            append(idempotent(i, 1), i);
        }
        acknowledge(7);
        loop.checkpoint(Lane.NORMAL);
        assertThat(wal.queued).hasSize(1);
        assertThat(wal.queued.get(0).frame().kind()).isEqualTo(FrameKind.CHECKPOINT);
        ByteBuf payload = wal.queued.get(0).frame().payload();
        ProducerStates next = producers();
        next.readFrom(payload.duplicate());

        assertThat(next.duplicateOf(idempotent(2, 1), 0)).isNotNull();
        assertThat(next.duplicateOf(idempotent(6, 1), 0)).isNotNull();
        assertThat(next.duplicateOf(idempotent(1, 1), 0))
                .as("only five are kept")
                .isNull();
        next.prepare(idempotent(7, 1), 0, 107, AppendOrigin.CLIENT);

        loop.checkpoint(Lane.NORMAL);
        assertThat(wal.queued).as("unchanged since").hasSize(1);
    }

    @Test
    void aStreamThatChangedIsCheckpointedThoughAQuorumWasSilentAtSomeLanesRoll() {
        append(plain(1), 0);
        right.set(Lane.URGENT, Authority.LOST);
        loop.checkpoint(Lane.URGENT);
        right.set(Lane.URGENT, Authority.HELD);
        append(plain(1), 1);
        acknowledge(2);
        loop.checkpoint(Lane.NORMAL);
        assertThat(wal.queued).hasSize(1);
        assertThat(wal.queued.get(0).frame().kind()).isEqualTo(FrameKind.CHECKPOINT);
    }

    /** Sites that were cut off for long bring old records. */
    @Test
    void aRetryOfOldRecordsIsKnownAfterProducersWereLookedThrough() {
        append(idempotent(0, 3), 0);
        acknowledge(1);
        partition.expireProducers(Time.SYSTEM.milliseconds());
        append(idempotent(0, 3), 1);
        assertThat(outcomes.answers).containsExactly("0:100", "1:100");
        assertThat(wal.queued).isEmpty();
        partition.expireProducers(Time.SYSTEM.milliseconds() + 2 * 86_400_000);
        append(idempotent(0, 3), 2);
        assertThat(wal.queued).as("who is silent for so long is forgotten").hasSize(1);
    }

    @Test
    void headersAloneRestoreProducers() {
        append(idempotent(0, 3), 0);
        append(idempotent(3, 2), 1);
        ProducerStates next = producers();
        for (Acknowledged entry : wal.queued) {
            byte[] head = new byte[BatchHeader.BYTES];
            entry.frame().payload().getBytes(0, head);
            next.replay(ByteBuffer.wrap(head), 0);
        }
        assertThat(next.duplicateOf(idempotent(3, 2), 0)).isNotNull();
        next.prepare(idempotent(5, 1), 0, 105, AppendOrigin.CLIENT);
    }

    @Test
    void theLastStableOffsetIsNeverBelowWhereTheLogBegins() {
        appendInTransaction(0, 0, 0);
        awaitVerdicts();
        append(plain(3), 1);
        acknowledge(2);
        assertThat(outcomes.answers).containsExactly("0:100", "1:101");
        assertThat(partition.lastStableOffset()).isEqualTo(100);
        // A reader of committed records that is sent to the end, or told to begin anew, comes to where something is
        partition.begins(103, List.of(new PartitionView.EpochStart(5, 103)));
        assertThat(partition.lastStableOffset()).isEqualTo(103);
        append(plain(1), 2);
        acknowledge(1);
        assertThat(partition.lastStableOffset()).isEqualTo(103);
    }

    /** A reader that is told of an abort waits for its marker, and takes all of the producer's records until then for aborted ones. */
    @Test
    void anAbortWhoseMarkerCompactionMayHaveTakenAwayIsNotTold() {
        appendInTransaction(0, 0, 0);
        eventLoop.submit(() -> {}).syncUninterruptibly();
        ByteBuffer abort = MemoryRecords.withEndTransactionMarker(
                        0, 1, 0, PRODUCER, (short) 0, new EndTransactionMarker(ControlRecordType.ABORT, 0))
                .buffer();
        partition.appendInternal(abort, InternalLog.InTransaction.NONE, new CompletableFuture<>());
        acknowledge(2);
        assertThat(outcomes.answers).containsExactly("0:100");
        assertThat(partition.aborted(90, 200))
                .extracting(AbortedTransaction::firstOffset, AbortedTransaction::lastOffset)
                .containsExactly(tuple(100L, 101L));

        partition.compacted(101);
        assertThat(partition.aborted(90, 200)).as("the marker is not compacted").hasSize(1);
        assertThat(partition.abortedKnownFrom()).isEqualTo(101);

        partition.compacted(102);
        assertThat(partition.aborted(90, 200)).isEmpty();
        assertThat(partition.aborted(100, 101)).isEmpty();
        assertThat(partition.abortedKnownFrom())
                .as("who reads there looks for markers")
                .isEqualTo(102);
    }

    @Test
    void watchersHearThatTheLogBeginsLater() {
        append(plain(3), 0);
        acknowledge(1);
        List<Long> heard = new ArrayList<>();
        partition.watch(view -> heard.add(view.logStartOffset()));
        partition.begins(103, List.of(new PartitionView.EpochStart(5, 103)));
        partition.begins(103, List.of(new PartitionView.EpochStart(5, 103)));
        eventLoop.submit(() -> {}).syncUninterruptibly();
        assertThat(heard).containsExactly(103L);
    }

    @Test
    void aZombieThatIsRefusedTakesNobodyWithIt() {
        CompletableFuture<Errors> ofZombie = new CompletableFuture<>();
        verdicts.put((short) 0, ofZombie);
        appendInTransaction(0, 0, 0);
        appendInTransaction(1, 0, 1);
        appendInTransaction(0, 1, 2);
        appendInTransaction(1, 1, 3);
        ofZombie.complete(Errors.PRODUCER_FENCED);
        awaitVerdicts();
        assertThat(outcomes.answers).containsExactly("0:PRODUCER_FENCED", "2:PRODUCER_FENCED");
        acknowledge(2);
        assertThat(outcomes.answers).endsWith("1:100", "3:101");
    }

    @Test
    void watchersHearOfEachRoundOnceAndOfTheEnd() {
        List<Long> heard = new ArrayList<>();
        PartitionView.AdvanceListener listener = view -> heard.add(view.serving() ? view.highWatermark() : -1);
        partition.watch(listener);
        append(plain(1), 0);
        append(plain(1), 1);
        acknowledge(2);
        assertThat(heard).containsExactly(102L);
        partition.close(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(heard).containsExactly(102L, -1L);
        append(plain(1), 2);
        assertThat(outcomes.answers).endsWith("2:NOT_LEADER_OR_FOLLOWER");
    }

    /** A lane that is fenced acknowledges nothing any more. */
    @Test
    void whatIsInFlightAtTheEndIsGivenUpThoughNobodyAcknowledgesIt() {
        append(plain(1), 0);
        append(plain(1), 1);
        loop.remove(partition, Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(outcomes.answers).containsExactly("0:NOT_LEADER_OR_FOLLOWER", "1:NOT_LEADER_OR_FOLLOWER");
        // The WAL gives up its own references when it is closed
        wal.acknowledge(2);
        assertThat(requests).allSatisfy(request -> assertThat(request.refCnt()).isZero());
    }

    /** Who is told of a high watermark reads what is below it from memory, at once. */
    @Test
    void aBatchIsInTheTailBeforeItsHighWatermarkIsSeen() throws Exception {
        int batches = 20_000;
        AtomicReference<String> missed = new AtomicReference<>();
        CountDownLatch reading = new CountDownLatch(1);
        Thread reader = new Thread(() -> {
            reading.countDown();
            long last = partition.highWatermark();
            while (last < 100 + batches && missed.get() == null) {
                long seen = partition.highWatermark();
                if (seen > last) {
                    // The newest batch: older ones may be evicted
                    BatchRun run = partition.readTail(seen - 1, 1);
                    if (run == null && partition.highWatermark() < seen + 100) {
                        missed.set("offset " + (seen - 1) + " below the high watermark is not in the tail");
                    } else if (run != null) {
                        run.payload().release();
                    }
                    last = seen;
                }
            }
        });
        reader.start();
        reading.await();
        for (int i = 0; i < batches && missed.get() == null; i++) {
            append(plain(1), i);
            acknowledge(1);
        }
        reader.join(10_000);
        assertThat(missed.get()).isNull();
        assertThat(reader.isAlive()).isFalse();
    }

    private BatchRun read(long offset, int bytesMax) {
        BatchRun run = partition.readTail(offset, bytesMax);
        assertThat(run).isNotNull();
        return java.util.Objects.requireNonNull(run);
    }

    /** Each comes by way of the loop, and from one to the next it goes over it several times. */
    private void awaitVerdicts() {
        for (int hop = 0; hop < 10; hop++) {
            eventLoop.submit(() -> {}).syncUninterruptibly();
        }
    }

    private void acknowledge(int count) {
        loop.acknowledged(wal.acknowledge(count));
    }

    /** As the network does: the batch lies in a pooled direct buffer, whose own reference ends with the request. */
    private void append(ByteBuffer batch, int slot) {
        ByteBuf request = PooledByteBufAllocator.DEFAULT.directBuffer(batch.remaining());
        request.writeBytes(batch.duplicate());
        requests.add(request);
        partition.append(request.nioBuffer(), request, AppendOrigin.CLIENT, outcomes, slot, Time.SYSTEM.milliseconds());
        request.release();
    }

    private void appendInTransaction(int epoch, int sequence, int slot) {
        ByteBuffer batch = MemoryRecords.withTransactionalRecords(
                        Compression.NONE, PRODUCER, (short) epoch, sequence, new SimpleRecord(1, new byte[] {1}))
                .buffer();
        ByteBuf request = PooledByteBufAllocator.DEFAULT.directBuffer(batch.remaining());
        request.writeBytes(batch);
        requests.add(request);
        partition.appendInTransaction(new Unverified.Batch(
                request.nioBuffer(),
                request,
                new TransactionVerifier.Use("id", TransactionVerifier.Ability.ADDED_BY_LOG),
                outcomes,
                slot,
                Time.SYSTEM.milliseconds()));
        request.release();
    }

    private static ByteBuffer plain(int count) {
        SimpleRecord[] records = new SimpleRecord[count];
        for (int i = 0; i < count; i++) {
            records[i] = new SimpleRecord(i, new byte[] {1, 2, 3});
        }
        return records(records);
    }

    private static ByteBuffer records(SimpleRecord... records) {
        return MemoryRecords.withRecords(Compression.NONE, records).buffer();
    }

    private static ByteBuffer idempotent(int sequence, int count) {
        SimpleRecord[] records = new SimpleRecord[count];
        for (int i = 0; i < count; i++) {
            records[i] = new SimpleRecord(i, new byte[] {4, 5, 6});
        }
        return MemoryRecords.withIdempotentRecords(Compression.NONE, PRODUCER, (short) 0, sequence, records)
                .buffer();
    }

    private static ProducerStates producers() {
        return new ProducerStates(NAME, new ProducerStateManagerConfig(86_400_000, true), Time.SYSTEM);
    }

    private static final class Outcomes implements AppendCompletion {
        final List<String> answers = new CopyOnWriteArrayList<>();

        @Override
        public void acknowledged(int slot, long baseOffset, long logAppendTimeMs, long logStartOffset) {
            answers.add(slot + ":" + baseOffset);
        }

        @Override
        public void failed(
                int slot, Errors error, @Nullable String message, List<RecordError> recordErrors, long logStartOffset) {
            answers.add(slot + ":" + error);
        }
    }
}
