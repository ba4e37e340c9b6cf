package io.catchment.broker.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.coordinatorlog.Tenure;
import io.catchment.broker.partition.InternalLog;
import io.catchment.broker.partition.TransactionVerifier;
import io.catchment.broker.peer.PeerRequests;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakePartition;
import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.TestProcess;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command.CreateTopic;
import io.catchment.controlplane.Command.CreateTopics;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.CoordinatorNotAvailableException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.transaction.TransactionLog;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The coordinator on a log in memory; markers are held back until the test lets them through. */
class TransactionCoordinatorTest {
    private static final String ID = "tx";
    private static final long PRODUCER = 7;
    private static final long FRESH_PRODUCER = 8;
    private static final short LAST_EPOCH = Short.MAX_VALUE - 1;
    private static final TopicPartition WRITTEN = new TopicPartition("written", 0);
    private static final TransactionVersion V2 = TransactionVersion.TV_2;

    private final ManualLoop loop = new ManualLoop();
    private final TestProcess process = new TestProcess(loop);
    private final FakeControlPlane control = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final ClusterImage withoutTopics = control.image();
    private final PeerRequests peers = new PeerRequests(1, Time.SYSTEM);
    private final FakePartition stateLog = new FakePartition(TransactionTopic.NAME, Uuid.randomUuid(), 0, 100);
    private final TransactionSettings settings =
            TransactionSettings.of(Map.of("transaction.state.log.num.partitions", "1"));
    private final TransactionPartitions partitions = new TransactionPartitions(new TransactionTopic(
            control::image,
            topic -> CompletableFuture.failedFuture(new AssertionError("nobody looks for it")),
            settings));
    private boolean markersPass;
    private boolean appendsFail;
    /** Of the next append; null: it is queued and acknowledged at once. */
    private @Nullable CompletableFuture<Long> queued;

    private CompletableFuture<Long> freshId = CompletableFuture.completedFuture(FRESH_PRODUCER);

    /** Nobody can be reached by this listener, so markers go nowhere; without its topic a partition needs none. */
    private final TransactionCoordinator coordinator = new TransactionCoordinator(
            settings,
            process,
            () -> freshId,
            partitions,
            new MarkerDelivery(() -> markersPass ? withoutTopics : control.image(), peers, "NOWHERE", process));

    @BeforeEach
    void createTopic() {
        control.submit(
                new CreateTopics(List.of(new CreateTopic(WRITTEN.topic(), 1, (short) 1, Map.of(), List.of(1))), false));
    }

    @AfterEach
    void close() {
        peers.close();
    }

    // ---- transactions that their producer does not end

    @Test
    void whatTakesTooLongIsAbortedWithTheNextEpochAndItsProducerGoesOn() {
        load(state(TransactionState.ONGOING, 4, V2));
        coordinator.abortTimedOut();
        loop.settle();
        assertThat(newest().state()).isEqualTo(TransactionState.PREPARE_ABORT);
        assertThat(newest().producerEpoch()).isEqualTo((short) 5);
        assertThat(end(PRODUCER, 4, false).error()).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        letMarkersPass();
        assertThat(newest().state()).isEqualTo(TransactionState.COMPLETE_ABORT);
        assertThat(end(PRODUCER, 4, false)).isEqualTo(new Identity(Errors.NONE, PRODUCER, (short) 5));
        assertThat(add(PRODUCER, 4)).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(add(PRODUCER, 5)).isEqualTo(Errors.NONE);
        assertThat(end(PRODUCER, 5, true)).isEqualTo(new Identity(Errors.NONE, PRODUCER, (short) 6));
    }

    @Test
    void anAbortThatCouldNotBeWrittenRaisesTheEpochOnceAllTheSame() {
        for (TransactionVersion version : TransactionVersion.values()) {
            load(state(TransactionState.ONGOING, 4, version));
            appendsFail = true;
            coordinator.abortTimedOut();
            loop.settle();
            appendsFail = false;
            coordinator.abortTimedOut();
            loop.settle();
            assertThat(newest().state()).as("%s", version).isEqualTo(TransactionState.PREPARE_ABORT);
            assertThat(newest().producerEpoch()).as("%s", version).isEqualTo((short) 5);
        }
    }

    // ---- when epochs are used up

    @Test
    void whoAddsWithItsNextIdWhileTheMarkersAreUnderWayIsToldToWait() {
        load(state(TransactionState.ONGOING, LAST_EPOCH, V2));
        assertThat(end(PRODUCER, LAST_EPOCH, true)).isEqualTo(new Identity(Errors.NONE, FRESH_PRODUCER, (short) 0));
        assertThat(add(FRESH_PRODUCER, 0)).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        letMarkersPass();
        assertThat(add(FRESH_PRODUCER, 0)).isEqualTo(Errors.NONE);
        assertThat(add(PRODUCER, LAST_EPOCH)).isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING);
    }

    @Test
    void aZombieDoesNotWaitForPartitionsThatAreBeingAdded() {
        load(state(TransactionState.EMPTY, 4, V2));
        CompletionStage<Errors> first = coordinator.addPartitions(ID, PRODUCER, (short) 4, List.of(WRITTEN), V2);
        CompletionStage<Errors> zombie = coordinator.addPartitions(ID, PRODUCER, (short) 3, List.of(WRITTEN), V2);
        CompletionStage<Errors> second = coordinator.addPartitions(ID, PRODUCER, (short) 4, List.of(WRITTEN), V2);
        assertThat(answer(zombie)).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(answer(first)).isEqualTo(Errors.NONE);
        assertThat(answer(second)).isEqualTo(Errors.NONE);
    }

    @Test
    void anAbortAtTheLastEpochGivesTheProducerItsNextId() {
        load(state(TransactionState.ONGOING, LAST_EPOCH, V2));
        coordinator.abortTimedOut();
        loop.settle();
        assertThat(newest().state()).isEqualTo(TransactionState.PREPARE_ABORT);
        assertThat(newest().producerId()).isEqualTo(PRODUCER);
        assertThat(newest().producerEpoch()).isEqualTo(Short.MAX_VALUE);
        letMarkersPass();
        assertThat(newest().producerId()).isEqualTo(FRESH_PRODUCER);
        assertThat(end(PRODUCER, LAST_EPOCH, false)).isEqualTo(new Identity(Errors.NONE, FRESH_PRODUCER, (short) 0));
        assertThat(add(FRESH_PRODUCER, 0)).isEqualTo(Errors.NONE);
        assertThat(end(FRESH_PRODUCER, 0, true)).isEqualTo(new Identity(Errors.NONE, FRESH_PRODUCER, (short) 1));
    }

    @Test
    void anAbortWaitsForTheNextIdAndIsTriedAgainWhenThereIsNone() {
        load(state(TransactionState.ONGOING, LAST_EPOCH, V2));
        freshId = new CompletableFuture<>();
        coordinator.abortTimedOut();
        assertThat(end(PRODUCER, LAST_EPOCH, false).error()).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        coordinator.abortTimedOut();
        freshId.completeExceptionally(new CoordinatorNotAvailableException("no ids now"));
        assertThat(end(PRODUCER, LAST_EPOCH, false).error()).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(stateLog.log()).isEmpty();
        freshId = CompletableFuture.completedFuture(FRESH_PRODUCER);
        coordinator.abortTimedOut();
        loop.settle();
        assertThat(newest().state()).isEqualTo(TransactionState.PREPARE_ABORT);
        letMarkersPass();
        assertThat(newest().producerId()).isEqualTo(FRESH_PRODUCER);
    }

    @Test
    void aZombieGetsNoNextId() {
        load(state(TransactionState.COMPLETE_COMMIT, LAST_EPOCH, V2));
        assertThat(init(PRODUCER, 12).error()).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(stateLog.log()).isEmpty();
        assertThat(init(PRODUCER, LAST_EPOCH - 1))
                .as("it may have lost an answer: nobody is shut out for it")
                .isEqualTo(new Identity(Errors.NONE, PRODUCER, LAST_EPOCH));
        assertThat(stateLog.log()).isEmpty();
        assertThat(init(PRODUCER, LAST_EPOCH)).isEqualTo(new Identity(Errors.NONE, FRESH_PRODUCER, (short) 0));
    }

    // ---- when this node's epoch ends

    @Test
    void whoAsksAfterTheEndIsSentToTheNextCoordinator() {
        load(state(TransactionState.ONGOING, 4, V2));
        process.close();
        assertThat(add(PRODUCER, 4)).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(end(PRODUCER, 4, true).error()).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(init(PRODUCER, 4).error()).isEqualTo(Errors.NOT_COORDINATOR);
        CompletionStage<?> verified = coordinator.verifyPartitions(ID, PRODUCER, (short) 4, List.of(WRITTEN));
        loop.settle();
        assertThat(verified.toCompletableFuture()).isCompletedExceptionally();
    }

    @Test
    void whoWaitsForAProducerIdAtTheEndIsSentToTheNextCoordinator() {
        load(state(TransactionState.COMPLETE_COMMIT, LAST_EPOCH, V2));
        freshId = new CompletableFuture<>();
        var asked = coordinator.initProducerId(
                ID, 1_000, Optional.of(new TransactionCoordinator.Expected(PRODUCER, LAST_EPOCH)));
        loop.settle();
        process.close();
        freshId.complete(FRESH_PRODUCER);
        assertThat(answer(asked).error()).isEqualTo(Errors.NOT_COORDINATOR);
    }

    @Test
    void whoseRecordIsQueuedAtTheEndIsSentToTheNextCoordinator() {
        load(state(TransactionState.ONGOING, 4, V2));
        queued = new CompletableFuture<>();
        var asked = coordinator.endTransaction(ID, PRODUCER, (short) 4, true, V2);
        loop.settle();
        process.close();
        queued.complete(1L);
        assertThat(answer(asked).error()).isEqualTo(Errors.NOT_COORDINATOR);
    }

    // ---- means

    private void load(TransactionMetadata state) {
        LogPartition partition = new LogPartition(new Tenure(stateLog), new MemoryLog(), process);
        partitions.put(0, partition);
        partition.loaded(new HashMap<>(Map.of(ID, new Transaction(state))));
        coordinator.loaded(partition);
        loop.settle();
    }

    private static TransactionMetadata state(TransactionState state, int epoch, TransactionVersion version) {
        return new TransactionMetadata(
                ID,
                PRODUCER,
                -1,
                -1,
                (short) epoch,
                (short) (epoch - 1),
                1_000,
                state,
                state == TransactionState.ONGOING ? Set.of(WRITTEN) : Set.of(),
                1,
                1,
                version);
    }

    private void letMarkersPass() {
        markersPass = true;
        loop.pass(1_000);
    }

    private Errors add(long producerId, int epoch) {
        return answer(coordinator.addPartitions(ID, producerId, (short) epoch, List.of(WRITTEN), V2));
    }

    private Identity end(long producerId, int epoch, boolean commit) {
        return answer(coordinator.endTransaction(ID, producerId, (short) epoch, commit, V2));
    }

    private Identity init(long producerId, int epoch) {
        return answer(coordinator.initProducerId(
                ID, 1_000, Optional.of(new TransactionCoordinator.Expected(producerId, (short) epoch))));
    }

    private <T> T answer(CompletionStage<T> asked) {
        loop.settle();
        assertThat(asked.toCompletableFuture()).isDone();
        return asked.toCompletableFuture().join();
    }

    /** What a next coordinator would find. */
    private TransactionMetadata newest() {
        List<byte[]> batches = stateLog.log();
        Record record = MemoryRecords.readableRecords(ByteBuffer.wrap(batches.get(batches.size() - 1)))
                .records()
                .iterator()
                .next();
        return ((TransactionLog.TxnRecord) TransactionLog.read(record.key(), record.value())).metadata();
    }

    /** Acknowledges at once. */
    private final class MemoryLog implements InternalLog {
        @Override
        public CompletionStage<Long> append(
                TopicPartition partition, int leaderEpoch, ByteBuffer batches, InTransaction transaction) {
            if (appendsFail) {
                return CompletableFuture.failedFuture(new KafkaStorageException("disk full"));
            }
            if (queued != null) {
                return queued;
            }
            byte[] batch = new byte[batches.remaining()];
            batches.duplicate().get(batch);
            ByteBuffer.wrap(batch).putLong(0, stateLog.highWatermark());
            stateLog.append(batch);
            return CompletableFuture.completedFuture(stateLog.highWatermark());
        }

        @Override
        public CompletionStage<VerificationGuard> verify(
                TopicPartition partition, TransactionVerifier.Use use, long producerId, short producerEpoch) {
            return CompletableFuture.failedFuture(new AssertionError("the coordinator's log is in no transaction"));
        }
    }
}
