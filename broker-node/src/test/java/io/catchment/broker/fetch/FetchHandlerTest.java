package io.catchment.broker.fetch;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.near.NearReads;
import io.catchment.broker.network.ByteBufRecords;
import io.catchment.broker.network.Request;
import io.catchment.broker.partition.AbortedTransaction;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.partition.PartitionView.EpochStart;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.BatchRuns;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeDirectory;
import io.catchment.broker.testing.FakePartition;
import io.catchment.broker.testing.OpenRequest;
import io.catchment.broker.testing.TestBatches;
import io.catchment.broker.testing.TrackedBuffers;
import io.catchment.controlplane.Command;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ReadClass;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchMetadata;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FetchHandlerTest {
    private static final short LATEST = ApiKeys.FETCH.latestVersion();
    private static final String TOPIC = "readings";
    private static final int PARTITIONS = 4;

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final FakeControlPlane control =
            new FakeControlPlane().withNode(1, "PLAINTEXT").withNode(2, "PLAINTEXT");
    private final FakeDirectory directory = new FakeDirectory();
    private final List<FakePartition> partitions = new ArrayList<>();
    private final ColdReader cold = new ColdReader();
    private final List<OpenRequest> requests = new ArrayList<>();
    private Uuid topicId = Uuid.ZERO_UUID;
    private final OneClientsQuota quota = new OneClientsQuota();
    private NearReads near = NearReads.NONE;
    private FetchHandler handler = handler(FetchSettings.defaults());

    @BeforeEach
    void createTopic() {
        channel.freezeTime();
        control.submit(new Command.CreateTopics(
                List.of(new Command.CreateTopic(TOPIC, PARTITIONS + 1, (short) 1, Map.of(), List.of(1, 1, 1, 1, 2))),
                false));
        topicId = control.image().topic(TOPIC).orElseThrow().topicId();
        for (int i = 0; i < PARTITIONS; i++) {
            FakePartition partition = new FakePartition(TOPIC, topicId, i, 100 + i);
            partitions.add(partition);
            directory.open(partition);
        }
    }

    @AfterEach
    void everyBufferIsReleased() {
        requests.forEach(OpenRequest::releaseRecords);
        cold.giveUp();
        for (FakePartition partition : partitions) {
            assertThat(partition.buffers.unreleased()).isZero();
        }
        assertThat(cold.buffers.unreleased()).isZero();
    }

    /** As many answers are over the limit as the test says. */
    private static final class OneClientsQuota implements FetchQuota {
        private int tooMany;
        private int answerBytesMax = Integer.MAX_VALUE;

        @Override
        public int answerBytesMax(Request request) {
            return answerBytesMax;
        }

        @Override
        public int fetched(Request request, IntSupplier answerBytes) {
            return tooMany-- > 0 ? 70 : 0;
        }

        @Override
        public int delivered(Request request, IntSupplier answerBytes) {
            throw new AssertionError("an answer to a fetch can be withheld");
        }
    }

    private FetchHandler handler(FetchSettings settings) {
        return new FetchHandler(directory, cold, control::image, Time.SYSTEM, settings, quota, near);
    }

    /** Reads below the tail that the test completes. */
    private static final class ColdReader implements StreamReader {
        final TrackedBuffers buffers = new TrackedBuffers();
        final List<Asked> asked = new ArrayList<>();
        /** Of each read, as far as is known before it. */
        int bytesAtMost = Integer.MAX_VALUE;

        record Asked(
                long streamId,
                long from,
                long limit,
                int bytesMax,
                ReadClass as,
                boolean waits,
                CompletableFuture<BatchRun> answer) {}

        @Override
        public CompletionStage<BatchRun> read(long streamId, long fromOffset, long limitOffset, int bytesMax) {
            throw new AssertionError("a fetch says who reads");
        }

        @Override
        public CompletionStage<BatchRun> read(
                long streamId, long fromOffset, long limitOffset, int bytesMax, ReadClass as) {
            return ask(new Asked(streamId, fromOffset, limitOffset, bytesMax, as, true, new CompletableFuture<>()));
        }

        @Override
        public CompletionStage<BatchRun> readIfRoom(
                long streamId, long fromOffset, long limitOffset, int bytesMax, ReadClass as) {
            return ask(new Asked(streamId, fromOffset, limitOffset, bytesMax, as, false, new CompletableFuture<>()));
        }

        @Override
        public int bytesAtMost(long streamId, long fromOffset, int bytesMax) {
            return Math.min(bytesAtMost, bytesMax);
        }

        private CompletionStage<BatchRun> ask(Asked read) {
            asked.add(read);
            return read.answer();
        }

        void answer(int index, byte[]... batches) {
            BatchRun run = new BatchRun(
                    TestBatches.baseOffset(batches[0]),
                    TestBatches.endOffset(batches[batches.length - 1]),
                    buffers.track(TestBatches.buffer(batches)));
            if (!asked.get(index).answer().complete(run)) {
                run.payload().release();
            }
        }

        void giveUp() {
            asked.forEach(read -> read.answer().complete(BatchRuns.empty(read.from())));
        }
    }

    // ---- requests

    private static FetchRequest.PartitionData want(long offset) {
        return want(offset, 1 << 20);
    }

    private static FetchRequest.PartitionData want(long offset, int bytesMax) {
        return new FetchRequest.PartitionData(Uuid.ZERO_UUID, offset, -1, bytesMax, Optional.empty());
    }

    private final class Fetch {
        private final Map<TopicPartition, FetchRequest.PartitionData> wanted = new LinkedHashMap<>();
        private final List<TopicIdPartition> forget = new ArrayList<>();
        private short version = LATEST;
        private int maxWaitMs = 500;
        private int minBytes = 1;
        private int maxBytes = 50 << 20;
        private FetchMetadata metadata = FetchMetadata.LEGACY;
        private IsolationLevel isolation = IsolationLevel.READ_UNCOMMITTED;
        private Uuid id = topicId;
        private String rack = "";

        Fetch from(int partition, FetchRequest.PartitionData data) {
            wanted.put(
                    new TopicPartition(TOPIC, partition),
                    new FetchRequest.PartitionData(
                            version < 13 ? Uuid.ZERO_UUID : id,
                            data.fetchOffset,
                            data.logStartOffset,
                            data.maxBytes,
                            data.currentLeaderEpoch,
                            data.lastFetchedEpoch));
            return this;
        }

        Fetch all(long offset) {
            for (int i = 0; i < PARTITIONS; i++) {
                from(i, want(offset));
            }
            return this;
        }

        Fetch forget(int partition) {
            forget.add(new TopicIdPartition(topicId, partition, TOPIC));
            return this;
        }

        Fetch version(int v) {
            version = (short) v;
            return this;
        }

        Fetch id(Uuid other) {
            id = other;
            return this;
        }

        Fetch waiting(int ms) {
            maxWaitMs = ms;
            return this;
        }

        Fetch minBytes(int bytes) {
            minBytes = bytes;
            return this;
        }

        Fetch maxBytes(int bytes) {
            maxBytes = bytes;
            return this;
        }

        Fetch committed() {
            isolation = IsolationLevel.READ_COMMITTED;
            return this;
        }

        Fetch rack(String name) {
            rack = name;
            return this;
        }

        Fetch session(int id, int epoch) {
            metadata = new FetchMetadata(id, epoch);
            return this;
        }

        OpenRequest send() {
            return send(FetchRequest.Builder.forConsumer(version, maxWaitMs, minBytes, wanted));
        }

        OpenRequest send(FetchRequest.Builder builder) {
            FetchRequest body = builder.setMaxBytes(maxBytes)
                    .rackId(rack)
                    .isolationLevel(isolation)
                    .metadata(metadata)
                    .removed(forget)
                    .build(version);
            OpenRequest request = new OpenRequest(body, channel.eventLoop());
            requests.add(request);
            handler.handle(request);
            return request;
        }
    }

    private static FetchResponse response(OpenRequest request) {
        assertThat(request.isAnswered()).isTrue();
        return (FetchResponse) java.util.Objects.requireNonNull(request.response());
    }

    private static Map<Integer, PartitionData> answers(OpenRequest request) {
        Map<Integer, PartitionData> byPartition = new LinkedHashMap<>();
        response(request).data().responses().forEach(topic -> topic.partitions()
                .forEach(partition -> byPartition.put(partition.partitionIndex(), partition)));
        return byPartition;
    }

    private static PartitionData answer(OpenRequest request, int partition) {
        PartitionData data = answers(request).get(partition);
        assertThat(data).as("answer for partition " + partition).isNotNull();
        return java.util.Objects.requireNonNull(data);
    }

    private static byte[] records(PartitionData data) {
        return data.records() instanceof ByteBufRecords records ? TestBatches.bytes(records.payload()) : new byte[0];
    }

    private static byte[] records(OpenRequest request, int partition) {
        PartitionData data = answers(request).get(partition);
        return data == null ? new byte[0] : records(data);
    }

    private static Errors error(OpenRequest request, int partition) {
        return Errors.forCode(answer(request, partition).errorCode());
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private void run() {
        channel.runPendingTasks();
    }

    private void pass(int ms) {
        channel.advanceTimeBy(ms, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        channel.runPendingTasks();
    }

    private int watchers() {
        return partitions.stream().mapToInt(FakePartition::watchers).sum();
    }

    // ---- tests

    @Test
    void whatIsThereIsAnsweredAtOnceAtEveryVersion() {
        byte[] batch = partitions.get(0).append(3, 10);
        for (int version = 4; version <= LATEST; version++) {
            OpenRequest request = new Fetch()
                    .version(version)
                    .from(0, want(1))
                    .from(1, want(0))
                    .send();
            assertThat(records(request, 0)).isEqualTo(batch);
            assertThat(answer(request, 0).highWatermark()).isEqualTo(3);
            assertThat(answer(request, 0).lastStableOffset()).isEqualTo(3);
            assertThat(answer(request, 0).logStartOffset()).isZero();
            assertThat(answer(request, 0).preferredReadReplica()).isEqualTo(-1);
            assertThat(answer(request, 0).abortedTransactions()).isNull();
            assertThat(records(request, 1)).isEmpty();
            assertThat(response(request).sessionId()).isZero();
        }
        assertThat(watchers()).isZero();
    }

    @Test
    void overItsLimitAClientGetsNothingButTheTimeToWait() {
        byte[] batch = partitions.get(0).append(3, 10);
        quota.tooMany = 1;
        OpenRequest held = new Fetch().from(0, want(0)).send();
        assertThat(response(held).throttleTimeMs()).isEqualTo(70);
        assertThat(response(held).sessionId()).isZero();
        assertThat(answers(held)).isEmpty();
        assertThat(records(new Fetch().from(0, want(0)).send(), 0)).isEqualTo(batch);
    }

    @Test
    void inASessionWhatWasWithheldComesWithTheNextAnswer() {
        OpenRequest first = new Fetch().all(0).waiting(0).session(0, 0).send();
        int session = response(first).sessionId();
        assertThat(session).isPositive();
        byte[] batch = partitions.get(1).append(3, 10);
        quota.tooMany = 1;
        OpenRequest held = new Fetch().session(session, 1).send();
        assertThat(response(held).throttleTimeMs()).isEqualTo(70);
        assertThat(response(held).sessionId()).isEqualTo(session);
        assertThat(answers(held)).isEmpty();

        OpenRequest next = new Fetch().session(session, 2).send();
        assertThat(records(next, 1)).isEqualTo(batch);
        assertThat(answer(next, 1).highWatermark()).isEqualTo(3);
    }

    @Test
    void noAnswerIsLargerThanWhatTheLimitLetsThroughInTime() {
        byte[] batch = partitions.get(0).append(1, 100);
        partitions.get(0).append(1, 100);
        quota.answerBytesMax = batch.length;
        assertThat(records(new Fetch().from(0, want(0)).send(), 0)).isEqualTo(batch);
    }

    @Test
    void aLongPollEndsWithTheFirstRecord() {
        OpenRequest request = new Fetch().all(0).send();
        run();
        assertThat(request.isAnswered()).isFalse();
        assertThat(watchers()).isEqualTo(PARTITIONS);

        byte[] batch = partitions.get(2).append(1, 10);
        run();
        assertThat(records(request, 2)).isEqualTo(batch);
        assertThat(watchers()).as("without a session nothing is watched after").isZero();
    }

    @Test
    void aLongPollWaitsForMinBytesAcrossPartitions() {
        OpenRequest request = new Fetch().all(0).minBytes(1000).send();
        byte[] first = partitions.get(0).append(1, 300);
        run();
        byte[] second = partitions.get(1).append(1, 300);
        run();
        assertThat(request.isAnswered()).isFalse();
        byte[] third = partitions.get(0).append(1, 300);
        run();
        assertThat(records(request, 0)).isEqualTo(concat(first, third));
        assertThat(records(request, 1)).isEqualTo(second);
    }

    @Test
    void aPartitionCountsForMinBytesOnlyUpToWhatItMaySend() {
        OpenRequest request =
                new Fetch().from(0, want(0, 100)).from(1, want(0)).minBytes(500).send();
        partitions.get(0).append(1, 2000);
        run();
        assertThat(request.isAnswered()).isFalse();
        partitions.get(1).append(1, 450);
        run();
        assertThat(request.isAnswered()).isTrue();
    }

    @Test
    void aLongPollTimesOutWithAnEmptyAnswer() {
        OpenRequest request = new Fetch().all(0).waiting(500).send();
        pass(499);
        assertThat(request.isAnswered()).isFalse();
        pass(1);
        assertThat(response(request).error()).isEqualTo(Errors.NONE);
        assertThat(answers(request)).hasSize(PARTITIONS);
        assertThat(watchers()).isZero();
    }

    @Test
    void whatCameTooLittleForMinBytesIsAnsweredAtTheTimeout() {
        OpenRequest request = new Fetch().all(0).minBytes(100_000).send();
        byte[] batch = partitions.get(3).append(1, 10);
        run();
        pass(500);
        assertThat(records(request, 3)).isEqualTo(batch);
    }

    @Test
    void aDisconnectDropsTheWait() {
        OpenRequest request = new Fetch().all(0).send();
        request.disconnect();
        run();
        assertThat(request.isAnswered()).isTrue();
        assertThat(request.response()).isNull();
        assertThat(watchers()).isZero();
        partitions.get(0).append(1, 10);
        pass(1000);
    }

    @Test
    void aPartitionThatStopsServingEndsTheWaitWithTheNewLeader() {
        OpenRequest request = new Fetch().all(0).send();
        directory.close(partitions.get(1));
        partitions.get(1).stopServing();
        run();
        assertThat(error(request, 1)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(watchers()).isZero();
    }

    @Test
    void anotherNodesPartitionIsToldWithItsLeaderAndEndpoint() {
        OpenRequest request = new Fetch().from(4, want(0)).send();
        assertThat(error(request, 4)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(answer(request, 4).currentLeader().leaderId()).isEqualTo(2);
        assertThat(response(request).data().nodeEndpoints().find(2).port()).isEqualTo(9200);

        OpenRequest old = new Fetch().version(15).from(4, want(0)).send();
        assertThat(error(old, 4)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(answer(old, 4).currentLeader().leaderId()).isEqualTo(-1);
    }

    @Test
    void nobodysTopicIdIsRefused() {
        OpenRequest request =
                new Fetch().id(Uuid.ZERO_UUID).from(0, want(0)).from(1, want(0)).send();
        assertThat(response(request).error()).isEqualTo(Errors.UNKNOWN_TOPIC_ID);
    }

    @Test
    void unknownTopicsAndPartitionsAreToldButDoNotEndTheWaitOfOthers() {
        OpenRequest byId = new Fetch().id(Uuid.randomUuid()).from(0, want(0)).send();
        assertThat(error(byId, 0)).isEqualTo(Errors.UNKNOWN_TOPIC_ID);
        OpenRequest noSuchPartition = new Fetch().from(99, want(0)).send();
        assertThat(error(noSuchPartition, 99)).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        OpenRequest byName = new Fetch().version(12).from(99, want(0)).send();
        assertThat(error(byName, 99)).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);

        OpenRequest mixed = new Fetch().from(99, want(0)).from(0, want(0)).send();
        run();
        assertThat(mixed.isAnswered()).isFalse();
        pass(500);
        assertThat(error(mixed, 99)).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(error(mixed, 0)).isEqualTo(Errors.NONE);
    }

    @Test
    void leaderEpochsAreChecked() {
        partitions.get(0).leaderEpoch = 5;
        OpenRequest older = new Fetch().from(0, wantEpoch(0, 4, -1)).send();
        assertThat(error(older, 0)).isEqualTo(Errors.FENCED_LEADER_EPOCH);
        assertThat(answer(older, 0).currentLeader().leaderId()).isEqualTo(1);
        OpenRequest newer = new Fetch().from(0, wantEpoch(0, 6, -1)).send();
        assertThat(error(newer, 0)).isEqualTo(Errors.UNKNOWN_LEADER_EPOCH);
        OpenRequest same = new Fetch().from(0, wantEpoch(0, 5, -1)).waiting(0).send();
        assertThat(error(same, 0)).isEqualTo(Errors.NONE);
    }

    private static FetchRequest.PartitionData wantEpoch(long offset, int leaderEpoch, int lastFetchedEpoch) {
        return new FetchRequest.PartitionData(
                Uuid.ZERO_UUID,
                offset,
                -1,
                1 << 20,
                leaderEpoch < 0 ? Optional.empty() : Optional.of(leaderEpoch),
                lastFetchedEpoch < 0 ? Optional.empty() : Optional.of(lastFetchedEpoch));
    }

    @Test
    void aDivergingLastFetchedEpochIsToldWhereItsEpochEnds() {
        FakePartition partition = partitions.get(0);
        partition.append(10, 5);
        partition.leaderEpoch = 3;
        partition.epochStarts = List.of(new EpochStart(0, 0), new EpochStart(2, 4), new EpochStart(3, 8));
        OpenRequest request = new Fetch().from(0, wantEpoch(9, 3, 2)).send();
        assertThat(error(request, 0)).isEqualTo(Errors.NONE);
        assertThat(answer(request, 0).divergingEpoch().epoch()).isEqualTo(2);
        assertThat(answer(request, 0).divergingEpoch().endOffset()).isEqualTo(8);
        assertThat(records(request, 0)).isEmpty();
        OpenRequest fine = new Fetch().from(0, wantEpoch(9, 3, 3)).send();
        assertThat(records(fine, 0)).isNotEmpty();
        OpenRequest unknown = new Fetch().from(0, wantEpoch(9, 3, 7)).send();
        assertThat(error(unknown, 0)).isEqualTo(Errors.OFFSET_OUT_OF_RANGE);
    }

    @Test
    void offsetsOutsideOfTheLogAreOutOfRange() {
        partitions.get(0).append(10, 5);
        partitions.get(0).logStartOffset = 4;
        for (long offset : new long[] {3, 11, -1}) {
            OpenRequest request = new Fetch().from(0, want(offset)).send();
            assertThat(error(request, 0)).isEqualTo(Errors.OFFSET_OUT_OF_RANGE);
            assertThat(answer(request, 0).highWatermark()).isEqualTo(-1);
        }
        OpenRequest atEnd = new Fetch().from(0, want(10)).waiting(0).send();
        assertThat(error(atEnd, 0)).isEqualTo(Errors.NONE);
    }

    /** As Kafka's sessions do: they compare the log's start and high watermark with what was told. */
    @Test
    void anIdleSessionIsToldThatTheLogBeginsLater() {
        partitions.get(1).append(5, 10);
        OpenRequest first = new Fetch()
                .from(0, want(0))
                .from(1, want(5))
                .from(2, want(0))
                .waiting(0)
                .session(0, 0)
                .send();
        int session = response(first).sessionId();
        new Fetch().session(session, 1).waiting(0).send();
        partitions.get(1).logStartOffset = 3;
        partitions.get(1).announce();
        OpenRequest second = new Fetch().session(session, 2).waiting(0).send();
        assertThat(answers(second)).hasSize(1);
        assertThat(answer(second, 1).logStartOffset()).isEqualTo(3);
        assertThat(answer(second, 1).highWatermark()).isEqualTo(5);
        assertThat(records(second, 1)).isEmpty();

        int looks = looks(partitions);
        OpenRequest third = new Fetch().session(session, 3).waiting(0).send();
        assertThat(answers(third)).as("told once").isEmpty();
        assertThat(answers(new Fetch().session(session, 4).waiting(0).send())).isEmpty();
        assertThat(looks(partitions)).as("then nothing is looked at again").isEqualTo(looks);
    }

    @Test
    void aNewBeginningOfTheLogEndsNoLongPollAndIsInItsAnswer() {
        partitions.get(1).append(5, 10);
        OpenRequest first = new Fetch()
                .from(0, want(0))
                .from(1, want(5))
                .waiting(0)
                .session(0, 0)
                .send();
        int session = response(first).sessionId();
        OpenRequest poll = new Fetch().session(session, 1).send();
        partitions.get(1).logStartOffset = 3;
        partitions.get(1).announce();
        run();
        assertThat(poll.isAnswered()).isFalse();
        partitions.get(0).append(1, 10);
        run();
        assertThat(records(poll, 0)).isNotEmpty();
        assertThat(answer(poll, 1).logStartOffset()).isEqualTo(3);
    }

    /** Of a reader of committed records, where a transaction is open. */
    @Test
    void anIdleSessionIsToldHowFarTheLogIsAcknowledged() {
        partitions.get(0).lastStableOffset = 0;
        OpenRequest first =
                new Fetch().all(0).committed().waiting(0).session(0, 0).send();
        int session = response(first).sessionId();
        partitions.get(0).append(5, 10);
        OpenRequest second =
                new Fetch().committed().session(session, 1).waiting(0).send();
        assertThat(answer(second, 0).highWatermark()).isEqualTo(5);
        assertThat(answer(second, 0).lastStableOffset()).isZero();
        assertThat(records(second, 0)).isEmpty();
    }

    /** A reader comes to where the partition remembers what was aborted, while that moves on with each abort (P3). */
    @Test
    void recordsWhoseTransactionIsForgottenWhileTheyAreReadAreNotShown() {
        FakePartition partition = partitions.get(0);
        byte[] old = partition.append(5, 10);
        partition.append(5, 10);
        partition.evictTo(5);
        partition.aborted = List.of(new AbortedTransaction(7, 0, 8, 10));
        OpenRequest request = new Fetch().committed().from(0, want(0)).send();
        partition.aborted = List.of();
        partition.abortedKnownFrom = 9;
        cold.answer(0, old);
        run();
        assertThat(error(request, 0)).isEqualTo(Errors.NONE);
        assertThat(answer(request, 0).highWatermark()).isEqualTo(10);
        assertThat(records(request, 0)).isEmpty();

        OpenRequest again = new Fetch().committed().from(0, want(0)).send();
        cold.answer(1, old);
        run();
        assertThat(records(again, 0)).as("the log has been searched").isEqualTo(old);
    }

    @Test
    void whatIsRememberedToBeAbortedIsToldWithTheRecords() {
        FakePartition partition = partitions.get(0);
        byte[] batch = partition.append(5, 10);
        partition.aborted = List.of(new AbortedTransaction(7, 2, 8, 10), new AbortedTransaction(8, 5, 9, 10));
        OpenRequest request = new Fetch().committed().from(0, want(0)).send();
        assertThat(records(request, 0)).isEqualTo(batch);
        assertThat(answer(request, 0).abortedTransactions())
                .extracting(FetchResponseData.AbortedTransaction::producerId)
                .containsExactly(7L);
    }

    @Test
    void readCommittedStopsAtTheLastStableOffset() {
        FakePartition partition = partitions.get(0);
        byte[] first = partition.append(5, 10);
        partition.append(5, 10);
        partition.lastStableOffset = 5;
        OpenRequest request = new Fetch().committed().from(0, want(0)).send();
        assertThat(records(request, 0)).isEqualTo(first);
        assertThat(answer(request, 0).abortedTransactions()).isEmpty();
        assertThat(answer(request, 0).lastStableOffset()).isEqualTo(5);
        OpenRequest waits = new Fetch().committed().from(0, want(5)).send();
        run();
        assertThat(waits.isAnswered()).isFalse();
        partition.lastStableOffset = 10;
        partition.announce();
        run();
        assertThat(records(waits, 0)).isNotEmpty();
    }

    @Test
    void theFirstBatchGoesOutHoweverLargeAndNoOtherPastTheLimits() {
        byte[] large = partitions.get(0).append(1, 5000);
        byte[] second = partitions.get(1).append(1, 400);
        byte[] third = partitions.get(1).append(1, 400);
        partitions.get(2).append(1, 5000);
        OpenRequest one = new Fetch().all(0).maxBytes(1000).send();
        assertThat(records(one, 0)).isEqualTo(large);
        assertThat(records(one, 1)).isEmpty();

        OpenRequest two = new Fetch()
                .from(1, want(0, second.length))
                .from(2, want(0, 1000))
                .from(0, want(0))
                .maxBytes(100_000)
                .send();
        assertThat(records(two, 1)).as("partition limit").isEqualTo(second);
        assertThat(records(two, 2))
                .as("not the first and over its partition limit")
                .isEmpty();
        assertThat(records(two, 0)).isEqualTo(large);

        OpenRequest three = new Fetch()
                .from(1, want(0))
                .from(0, want(0))
                .maxBytes(second.length + third.length)
                .send();
        assertThat(records(three, 1)).isEqualTo(concat(second, third));
        assertThat(records(three, 0)).isEmpty();
    }

    @Test
    void aFollowerIsRefused() {
        OpenRequest request = new Fetch()
                .send(FetchRequest.Builder.forReplica(
                        LATEST,
                        3,
                        1,
                        500,
                        1,
                        Map.of(
                                new TopicPartition(TOPIC, 0),
                                new FetchRequest.PartitionData(topicId, 0, 0, 1000, Optional.empty()))));
        assertThat(response(request).error()).isEqualTo(Errors.INVALID_REQUEST);
    }

    // ---- readers in other zones

    /** Says what the test wants of zones; partitions of other nodes are those the test put in. */
    private static final class Zones implements NearReads {
        private final FakeDirectory elsewhere = new FakeDirectory();
        private int sendTo = -1;
        private int answeredBytes;
        private final List<Integer> heard = new ArrayList<>();

        @Override
        public boolean enabled() {
            return true;
        }

        @Override
        public boolean isHere(String rack) {
            return rack.equals("here");
        }

        @Override
        public int nodeFor(PartitionView partition, String rack, String listener, String connection) {
            assertThat(rack).isEqualTo("there");
            return sendTo;
        }

        @Override
        public void heard(int nodeId) {
            heard.add(nodeId);
        }

        @Override
        public @Nullable PartitionView find(@Nullable String topic, Uuid topicId, int partition) {
            return elsewhere.find(topicId, partition);
        }

        @Override
        public void answered(int bytes) {
            answeredBytes += bytes;
        }
    }

    private Zones zones() {
        Zones zones = new Zones();
        near = zones;
        handler = handler(FetchSettings.defaults());
        return zones;
    }

    /** Of an owner in another zone. */
    private FakePartition partitionElsewhere(Zones zones) {
        FakePartition partition = new FakePartition(TOPIC, topicId, 4, 104) {
            @Override
            public boolean isNear() {
                return true;
            }

            @Override
            public boolean isBehind() {
                return behind;
            }
        };
        partition.tailStart = Long.MAX_VALUE;
        partitions.add(partition);
        zones.elsewhere.open(partition);
        return partition;
    }

    @Test
    void aReaderWithANodeInItsZoneIsSentThereAtOnceWithoutRecords() {
        Zones zones = zones();
        zones.sendTo = 2;
        partitions.get(0).append(3, 10);
        OpenRequest request = new Fetch().rack("there").from(0, want(0)).send();
        PartitionData answer = answer(request, 0);
        assertThat(answer.preferredReadReplica()).isEqualTo(2);
        assertThat(answer.errorCode()).isEqualTo(Errors.NONE.code());
        assertThat(answer.highWatermark()).isEqualTo(3);
        assertThat(records(request, 0)).isEmpty();

        OpenRequest atTheEnd = new Fetch().rack("there").from(1, want(0)).send();
        assertThat(answer(atTheEnd, 1).preferredReadReplica()).isEqualTo(2);
    }

    @Test
    void othersReadHere() {
        Zones zones = zones();
        zones.sendTo = 2;
        byte[] batch = partitions.get(0).append(3, 10);
        for (String rack : List.of("", "here")) {
            OpenRequest request = new Fetch().rack(rack).from(0, want(0)).send();
            assertThat(answer(request, 0).preferredReadReplica()).isEqualTo(-1);
            assertThat(records(request, 0)).isEqualTo(batch);
        }
        zones.sendTo = -1;
        assertThat(records(new Fetch().rack("there").from(0, want(0)).send(), 0))
                .isEqualTo(batch);
    }

    @Test
    void aWrongOffsetIsToldByTheOwner() {
        zones().sendTo = 2;
        OpenRequest request = new Fetch().rack("there").from(0, want(9)).send();
        assertThat(error(request, 0)).isEqualTo(Errors.OFFSET_OUT_OF_RANGE);
    }

    @Test
    void onlyReadersInThisZoneReadHereForOwnersElsewhere() {
        Zones zones = zones();
        FakePartition partition = partitionElsewhere(zones);
        byte[] batch = partition.append(2, 10);
        for (String rack : List.of("", "there")) {
            OpenRequest request = new Fetch().rack(rack).from(4, want(0)).send();
            assertThat(error(request, 4)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        }
        OpenRequest request = new Fetch().rack("here").from(4, want(0)).send();
        run();
        cold.answer(0, batch);
        run();
        assertThat(records(request, 4)).isEqualTo(batch);
        assertThat(answer(request, 4).preferredReadReplica()).isEqualTo(-1);
        assertThat(zones.answeredBytes).isEqualTo(batch.length);
        assertThat(cold.asked.get(0).limit()).isEqualTo(2);
    }

    @Test
    void aReaderThatKnowsMoreThanThisNodeWaitsForItAndThenGoesToTheOwner() {
        Zones zones = zones();
        FakePartition partition = partitionElsewhere(zones);
        partition.append(2, 10);
        OpenRequest late =
                new Fetch().rack("here").from(4, want(3)).session(0, 0).send();
        run();
        assertThat(late.isAnswered()).isFalse();
        pass(500);
        assertThat(error(late, 4)).isEqualTo(Errors.OFFSET_OUT_OF_RANGE);

        OpenRequest inTime = new Fetch().rack("here").from(4, want(3)).send();
        run();
        byte[] batch = partition.append(2, 10);
        run();
        cold.answer(0, batch);
        run();
        assertThat(records(inTime, 4)).isEqualTo(batch);
    }

    @Test
    void aReaderIsSentBackToTheOwnerWhenNothingIsReadHereInTime() {
        Zones zones = zones();
        FakePartition partition = partitionElsewhere(zones);
        partition.append(2, 10);
        OpenRequest request = new Fetch().rack("here").from(4, want(0)).send();
        pass(999);
        assertThat(request.isAnswered()).isFalse();
        pass(1);
        assertThat(error(request, 4)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
    }

    @Test
    void asLongAsTheOwnerHasSaidNothingThereIsNoOffset() {
        Zones zones = zones();
        FakePartition partition = partitionElsewhere(zones);
        partition.highWatermark = -1;
        OpenRequest request = new Fetch().rack("here").from(4, want(0)).send();
        run();
        assertThat(request.isAnswered()).isFalse();
        pass(500);
        assertThat(error(request, 4)).isEqualTo(Errors.NONE);
        assertThat(answer(request, 4).highWatermark()).isEqualTo(-1);
        assertThat(records(request, 4)).isEmpty();
        partition.behind = true;
        OpenRequest silent = new Fetch().rack("here").from(4, want(0)).send();
        assertThat(error(silent, 4)).isEqualTo(Errors.OFFSET_NOT_AVAILABLE);
    }

    @Test
    void withASilentOwnerWhatIsKnownIsReadAndThenTheReaderGoesToTheOwner() {
        Zones zones = zones();
        FakePartition partition = partitionElsewhere(zones);
        byte[] batch = partition.append(2, 10);
        OpenRequest waiting = new Fetch().rack("here").from(4, want(2)).send();
        run();
        partition.behind = true;
        partition.announce();
        run();
        assertThat(error(waiting, 4)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        OpenRequest before = new Fetch().rack("here").from(4, want(0)).send();
        run();
        cold.answer(0, batch);
        run();
        assertThat(records(before, 4)).isEqualTo(batch);
    }

    @Test
    void epochsAreCheckedAsByTheOwner() {
        Zones zones = zones();
        FakePartition partition = partitionElsewhere(zones);
        partition.leaderEpoch = 5;
        for (int epoch : List.of(4, 6)) {
            OpenRequest request = new Fetch()
                    .rack("here")
                    .from(4, new FetchRequest.PartitionData(topicId, 0, -1, 1000, Optional.of(epoch)))
                    .send();
            assertThat(error(request, 4))
                    .isEqualTo(epoch < 5 ? Errors.FENCED_LEADER_EPOCH : Errors.UNKNOWN_LEADER_EPOCH);
        }
    }

    @Test
    void aFollowerGetsNoRecordsAndNoQuotaHoldsItBack() {
        Zones zones = zones();
        quota.tooMany = 5;
        partitions.get(0).append(2, 10);
        OpenRequest request = new Fetch()
                .send(FetchRequest.Builder.forReplica(
                        LATEST,
                        3,
                        1,
                        500,
                        1,
                        Map.of(
                                new TopicPartition(TOPIC, 0),
                                new FetchRequest.PartitionData(topicId, -1, 0, 1000, Optional.empty()))));
        assertThat(answer(request, 0).highWatermark()).isEqualTo(2);
        assertThat(records(request, 0)).isEmpty();
        assertThat(response(request).throttleTimeMs()).isZero();
        assertThat(zones.heard).containsExactly(3);
    }

    // ---- sessions

    @Test
    void aSessionAnswersOnlyWhatChanged() {
        byte[] batch = partitions.get(0).append(2, 10);
        OpenRequest full = new Fetch().all(0).session(0, 0).send();
        int session = response(full).sessionId();
        assertThat(session).isPositive();
        assertThat(answers(full)).hasSize(PARTITIONS);
        assertThat(records(full, 0)).isEqualTo(batch);
        assertThat(watchers()).isEqualTo(PARTITIONS);

        OpenRequest idle = new Fetch().session(session, 1).from(0, want(2)).send();
        run();
        assertThat(idle.isAnswered()).isFalse();
        byte[] more = partitions.get(3).append(1, 10);
        run();
        assertThat(answers(idle).keySet()).containsExactly(3);
        assertThat(records(idle, 3)).isEqualTo(more);
        assertThat(response(idle).sessionId()).isEqualTo(session);

        OpenRequest empty = new Fetch().session(session, 2).from(3, want(1)).send();
        pass(500);
        assertThat(answers(empty)).isEmpty();
        assertThat(response(empty).sessionId()).isEqualTo(session);
        assertThat(watchers()).as("stays watched from request to request").isEqualTo(PARTITIONS);
    }

    @Test
    void anUnreadPartitionOfASessionIsAnsweredAgainWithoutBeingNamed() {
        byte[] batch = partitions.get(0).append(2, 10);
        int session = response(new Fetch().all(0).session(0, 0).send()).sessionId();
        OpenRequest again = new Fetch().session(session, 1).send();
        assertThat(records(again, 0)).isEqualTo(batch);
    }

    @Test
    void partitionsOfASessionTakeTurns() {
        for (FakePartition partition : partitions) {
            partition.append(1, 1000);
            partition.append(1, 1000);
        }
        OpenRequest request = new Fetch().all(0).session(0, 0).maxBytes(500).send();
        int session = response(request).sessionId();
        List<Integer> served = new ArrayList<>();
        for (int epoch = 1; epoch <= 8; epoch++) {
            int partition = answers(request).entrySet().stream()
                    .filter(entry -> records(entry.getValue()).length > 0)
                    .findFirst()
                    .orElseThrow()
                    .getKey();
            served.add(partition);
            Fetch next = new Fetch().session(session, epoch).maxBytes(500).waiting(0);
            request = next.from(
                            partition,
                            want(served.stream().filter(p -> p == partition).count()))
                    .send();
        }
        assertThat(served).containsExactly(0, 1, 2, 3, 0, 1, 2, 3);
    }

    @Test
    void forgottenPartitionsAreNoLongerAnsweredOrWatched() {
        int session =
                response(new Fetch().all(0).session(0, 0).waiting(0).send()).sessionId();
        OpenRequest request =
                new Fetch().session(session, 1).forget(1).forget(2).send();
        assertThat(watchers()).isEqualTo(PARTITIONS - 2);
        partitions.get(1).append(1, 10);
        run();
        assertThat(request.isAnswered()).isFalse();
        partitions.get(0).append(1, 10);
        run();
        assertThat(answers(request).keySet()).containsExactly(0);
    }

    @Test
    void aPartitionAddedToASessionIsWatchedAndAnswered() {
        int session = response(
                        new Fetch().from(0, want(0)).session(0, 0).waiting(0).send())
                .sessionId();
        OpenRequest request = new Fetch().session(session, 1).from(1, want(0)).send();
        run();
        assertThat(request.isAnswered()).isFalse();
        partitions.get(1).append(1, 10);
        run();
        assertThat(answers(request).keySet()).containsExactly(1);
        assertThat(watchers()).isEqualTo(2);
    }

    @Test
    void aSessionGoesOnWhenAPartitionLeavesAndComesBack() {
        int session =
                response(new Fetch().all(0).session(0, 0).waiting(0).send()).sessionId();
        OpenRequest waiting = new Fetch().session(session, 1).send();
        control.moveStream(TOPIC, 1, 2);
        directory.close(partitions.get(1));
        partitions.get(1).stopServing();
        run();
        assertThat(answers(waiting).keySet()).containsExactly(1);
        assertThat(error(waiting, 1)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(answer(waiting, 1).currentLeader().leaderId()).isEqualTo(2);
        assertThat(answer(waiting, 1).currentLeader().leaderEpoch())
                .isEqualTo(control.stream(TOPIC, 1).epoch());

        byte[] others = partitions.get(0).append(1, 10);
        OpenRequest next = new Fetch().session(session, 2).forget(1).send();
        assertThat(records(next, 0)).isEqualTo(others);
        assertThat(answers(next).keySet()).containsExactly(0);

        control.moveStream(TOPIC, 1, 1);
        FakePartition back = new FakePartition(TOPIC, topicId, 1, 101);
        back.leaderEpoch = control.stream(TOPIC, 1).epoch();
        partitions.add(back);
        directory.open(back);
        OpenRequest again = new Fetch()
                .session(session, 3)
                .from(0, want(1))
                .from(1, want(0))
                .send();
        run();
        assertThat(again.isAnswered()).isFalse();
        byte[] fresh = back.append(1, 10);
        run();
        assertThat(records(again, 1)).isEqualTo(fresh);
    }

    @Test
    void sessionErrorsAreKafkas() {
        assertThat(response(new Fetch().session(4711, 3).send()).error()).isEqualTo(Errors.FETCH_SESSION_ID_NOT_FOUND);
        for (int garbage : new int[] {Integer.MAX_VALUE, -5}) {
            assertThat(response(new Fetch().session(garbage, 3).send()).error())
                    .isEqualTo(Errors.FETCH_SESSION_ID_NOT_FOUND);
        }
        int session =
                response(new Fetch().all(0).session(0, 0).waiting(0).send()).sessionId();
        assertThat(response(new Fetch().session(session, 7).send()).error())
                .isEqualTo(Errors.INVALID_FETCH_SESSION_EPOCH);
        byte[] batch = partitions.get(0).append(1, 10);
        OpenRequest right = new Fetch().session(session, 1).send();
        assertThat(records(right, 0)).as("the session lives on").isEqualTo(batch);
        assertThat(response(new Fetch().version(12).session(session, 2).send()).error())
                .isEqualTo(Errors.FETCH_SESSION_TOPIC_ID_ERROR);
    }

    @Test
    void closingOrReplacingASessionEndsItsWatching() {
        int session =
                response(new Fetch().all(0).session(0, 0).waiting(0).send()).sessionId();
        new Fetch().session(session, FetchMetadata.FINAL_EPOCH).waiting(0).send();
        assertThat(watchers()).isZero();
        assertThat(response(new Fetch().session(session, 1).send()).error())
                .isEqualTo(Errors.FETCH_SESSION_ID_NOT_FOUND);
        int second =
                response(new Fetch().all(0).session(0, 0).waiting(0).send()).sessionId();
        int third = response(new Fetch().all(0).session(second, 0).waiting(0).send())
                .sessionId();
        assertThat(third).isNotEqualTo(second);
        assertThat(watchers()).isEqualTo(PARTITIONS);
        assertThat(handler.sessions()).isEqualTo(1);
    }

    @Test
    void aSessionWaitDroppedByDisconnectEndsItsWatching() {
        int session =
                response(new Fetch().all(0).session(0, 0).waiting(0).send()).sessionId();
        OpenRequest request = new Fetch().session(session, 1).send();
        request.disconnect();
        run();
        assertThat(watchers()).isZero();
        assertThat(handler.sessions()).isZero();
    }

    @Test
    void rememberedSessionsAreBoundedAndAnEvictedOneIsRebuiltFromKafkas() {
        handler = handler(new FetchSettings(1 << 20, 1 << 20, 1000, 100, 16, 120_000));
        List<Integer> sessions = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            sessions.add(
                    response(new Fetch().all(0).session(0, 0).waiting(0).send()).sessionId());
        }
        assertThat(handler.sessions()).isLessThanOrEqualTo(16);
        assertThat(watchers()).isLessThanOrEqualTo(16 * PARTITIONS);
        assertThat(sessions).contains(0);
        byte[] batch = partitions.get(2).append(1, 10);
        int kept = sessions.stream().filter(id -> id != 0).findFirst().orElseThrow();
        assertThat(records(new Fetch().session(kept, 1).send(), 2)).isEqualTo(batch);
    }

    @Test
    void aSessionTakenUpOnAnotherConnectionIsRebuilt() {
        int session =
                response(new Fetch().all(0).session(0, 0).waiting(0).send()).sessionId();
        EmbeddedChannel other = new EmbeddedChannel();
        FetchRequest body = FetchRequest.Builder.forConsumer(LATEST, 500, 1, Map.of())
                .metadata(new FetchMetadata(session, 1))
                .build(LATEST);
        OpenRequest request = new OpenRequest(body, other.eventLoop());
        requests.add(request);
        handler.handle(request);
        run();
        assertThat(watchers()).as("the old connection's are gone").isEqualTo(PARTITIONS);
        byte[] batch = partitions.get(1).append(1, 10);
        other.runPendingTasks();
        assertThat(records(request, 1)).isEqualTo(batch);
    }

    @Test
    void aSessionsNextRequestEndsTheOneThatStillWaits() {
        int session =
                response(new Fetch().all(0).session(0, 0).waiting(0).send()).sessionId();
        OpenRequest waiting = new Fetch().session(session, 1).send();
        assertThat(waiting.isAnswered()).isFalse();
        OpenRequest next = new Fetch().session(session, 2).send();
        assertThat(response(waiting).error()).isEqualTo(Errors.NONE);
        byte[] batch = partitions.get(1).append(1, 10);
        run();
        assertThat(records(next, 1)).isEqualTo(batch);
    }

    @Test
    void anErrorOfASessionsPartitionIsToldEachTimeUntilItEnds() {
        FakePartition partition = partitions.get(1);
        directory.close(partition);
        int session = response(new Fetch().all(0).session(0, 0).send()).sessionId();
        OpenRequest still = new Fetch().session(session, 1).send();
        assertThat(error(still, 1)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        directory.open(partition);
        OpenRequest healed = new Fetch().session(session, 2).send();
        run();
        assertThat(healed.isAnswered()).isFalse();
        byte[] batch = partition.append(1, 10);
        run();
        assertThat(records(healed, 1)).isEqualTo(batch);
    }

    // ---- below the tail

    @Test
    void whoReadsOldRecordsCatchesUpAndWhoReadsRecentOnesBelowTheTailDoesNot() {
        for (FakePartition partition : partitions) {
            partition.append(1, 100);
            partition.append(1, 100);
            partition.evictTo(2);
        }
        partitions.get(0).recentFrom = 2;
        partitions.get(1).recentFrom = 1;
        new Fetch().from(0, want(1, 400)).from(1, want(1, 400)).send();
        assertThat(cold.asked.stream().map(ColdReader.Asked::as)).containsExactly(ReadClass.CATCH_UP, ReadClass.TAIL);
    }

    @Test
    void coldPartitionsAreReadSideBySideWithinTheByteLimit() {
        byte[][] batches = new byte[PARTITIONS][];
        for (int i = 0; i < PARTITIONS; i++) {
            batches[i] = partitions.get(i).append(1, 100);
            partitions.get(i).evictTo(1);
        }
        byte[] hot = partitions.get(3).append(1, 100);
        OpenRequest request = new Fetch()
                .from(0, want(0, 400))
                .from(1, want(0, 400))
                .from(2, want(0, 400))
                .from(3, want(1, 400))
                .maxBytes(1000)
                .send();
        assertThat(cold.asked).hasSize(3);
        assertThat(cold.asked.get(0).waits()).isTrue();
        assertThat(cold.asked.get(1).waits())
                .as("only the first may wait for memory")
                .isFalse();
        assertThat(cold.asked.stream().map(ColdReader.Asked::bytesMax)).containsExactly(400, 400, 200);
        assertThat(cold.asked.get(0).limit()).isEqualTo(1);
        assertThat(request.isAnswered()).isFalse();
        cold.answer(1, batches[1]);
        cold.answer(0, batches[0]);
        cold.answer(2, batches[2]);
        assertThat(records(request, 0)).isEqualTo(batches[0]);
        assertThat(records(request, 1)).isEqualTo(batches[1]);
        assertThat(records(request, 2)).isEqualTo(batches[2]);
        assertThat(records(request, 3)).as("no bytes were left for it").isEmpty();
        assertThat(hot).isNotEmpty();
    }

    /** A client that has shown nothing yet gets a mebibyte at a time: of one partition, that is, if each might have so much. */
    @Test
    void partitionsThatAreKnownToHaveLittleBelowTheTailAreAnsweredTogether() {
        byte[][] batches = new byte[PARTITIONS][];
        for (int i = 0; i < PARTITIONS; i++) {
            batches[i] = partitions.get(i).append(1, 100);
            partitions.get(i).evictTo(1);
        }
        cold.bytesAtMost = 300;
        OpenRequest request = new Fetch().all(0).maxBytes(1 << 20).send();
        assertThat(cold.asked).hasSize(PARTITIONS);
        assertThat(cold.asked.stream().map(ColdReader.Asked::bytesMax)).containsOnly(300);
        for (int i = 0; i < PARTITIONS; i++) {
            cold.answer(i, batches[i]);
        }
        for (int i = 0; i < PARTITIONS; i++) {
            assertThat(records(request, i)).isEqualTo(batches[i]);
        }
    }

    @Test
    void oneAnswerBeginsABoundedNumberOfReadsBelowTheTail() {
        control.submit(new Command.CreateTopics(
                List.of(new Command.CreateTopic("many", 1000, (short) 1, Map.of(), List.of())), false));
        Uuid id = control.image().topic("many").orElseThrow().topicId();
        Map<TopicPartition, FetchRequest.PartitionData> wanted = new LinkedHashMap<>();
        for (int i = 0; i < 1000; i++) {
            FakePartition partition = new FakePartition("many", id, i, 1000 + i);
            partitions.add(partition);
            directory.open(partition);
            partition.append(1, 100);
            partition.evictTo(1);
            wanted.put(
                    new TopicPartition("many", i),
                    new FetchRequest.PartitionData(id, 0, -1, 1 << 20, Optional.empty()));
        }
        cold.bytesAtMost = 300;
        new Fetch().send(FetchRequest.Builder.forConsumer(LATEST, 500, 1, wanted));
        assertThat(cold.asked).hasSize(256);
    }

    @Test
    void aLateColdReadIsLeftOutAndGivenUp() {
        byte[] old = partitions.get(0).append(1, 100);
        partitions.get(0).evictTo(1);
        byte[] hot = partitions.get(1).append(1, 100);
        OpenRequest request = new Fetch().all(0).send();
        assertThat(request.isAnswered()).isFalse();
        pass(FetchSettings.defaults().coldGraceMs());
        assertThat(records(request, 1)).isEqualTo(hot);
        assertThat(records(request, 0)).isEmpty();
        assertThat(error(request, 0)).isEqualTo(Errors.NONE);
        assertThat(cold.asked.get(0).answer()).isCancelled();
        cold.answer(0, old);
    }

    @Test
    void aColdReadAloneIsWaitedForLongerThanMaxWait() {
        byte[] old = partitions.get(0).append(1, 100);
        partitions.get(0).evictTo(1);
        OpenRequest request = new Fetch().from(0, want(0)).waiting(10).send();
        pass(5000);
        assertThat(request.isAnswered()).isFalse();
        cold.answer(0, old);
        run();
        assertThat(records(request, 0)).isEqualTo(old);
        OpenRequest tooLong = new Fetch().from(0, want(0)).waiting(10).send();
        pass(FetchSettings.defaults().coldWaitMs());
        assertThat(records(tooLong, 0)).isEmpty();
        assertThat(error(tooLong, 0)).isEqualTo(Errors.NONE);
    }

    @Test
    void aFailedColdReadIsARetriableErrorHeldBackUntilMaxWait() {
        partitions.get(0).append(1, 100);
        partitions.get(0).evictTo(1);
        OpenRequest request = new Fetch().from(0, want(0)).waiting(500).send();
        cold.asked.get(0).answer().completeExceptionally(new java.io.IOException("EIO"));
        run();
        assertThat(request.isAnswered())
                .as("else the consumer would ask in a tight loop")
                .isFalse();
        pass(500);
        assertThat(error(request, 0)).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
    }

    @Test
    void bytesThatAreNotWhatWasWrittenAreToldAsCorruptSoThatTheClientThrows() {
        partitions.get(0).append(1, 100);
        partitions.get(0).evictTo(1);
        OpenRequest request = new Fetch().from(0, want(0)).waiting(500).send();
        cold.asked
                .get(0)
                .answer()
                .completeExceptionally(new ObjectStoreException(ObjectStoreException.Reason.CORRUPT, "block 3", null));
        pass(500);
        assertThat(error(request, 0)).isEqualTo(Errors.CORRUPT_MESSAGE);
        assertThat(records(request, 0)).isEmpty();
    }

    @Test
    void aDisconnectDuringAColdReadReleasesWhatComes() {
        byte[] old = partitions.get(0).append(1, 100);
        byte[] other = partitions.get(1).append(1, 100);
        partitions.get(0).evictTo(1);
        partitions.get(1).evictTo(1);
        OpenRequest request = new Fetch().all(0).send();
        cold.answer(0, old);
        request.disconnect();
        run();
        cold.answer(1, other);
        assertThat(request.response()).isNull();
        assertThat(request.isAnswered()).isTrue();
    }

    @Test
    void anOversizeColdBatchGoesOutOnlyAsTheFirst() {
        byte[] old = partitions.get(0).append(1, 5000);
        byte[] other = partitions.get(1).append(1, 5000);
        partitions.get(0).evictTo(1);
        partitions.get(1).evictTo(1);
        OpenRequest request =
                new Fetch().from(0, want(0, 1000)).from(1, want(0, 1000)).send();
        cold.answer(0, old);
        cold.answer(1, other);
        assertThat(records(request, 0)).isEqualTo(old);
        assertThat(records(request, 1)).isEmpty();
    }

    @Test
    void aSessionErrorAfterReadingReleasesTheRecords() {
        int session =
                response(new Fetch().all(0).session(0, 0).waiting(0).send()).sessionId();
        byte[] old = partitions.get(0).append(1, 100);
        partitions.get(0).evictTo(1);
        OpenRequest reading = new Fetch().session(session, 1).send();
        EmbeddedChannel other = new EmbeddedChannel();
        OpenRequest overtaking = new OpenRequest(
                FetchRequest.Builder.forConsumer(LATEST, 500, 1, Map.of())
                        .metadata(new FetchMetadata(session, 2))
                        .build(LATEST),
                other.eventLoop());
        requests.add(overtaking);
        handler.handle(overtaking);
        cold.answer(0, old);
        run();
        assertThat(reading.isAnswered()).isTrue();
        assertThat(response(reading).error()).isEqualTo(Errors.INVALID_FETCH_SESSION_EPOCH);
        cold.answer(1, old);
        other.runPendingTasks();
        assertThat(records(overtaking, 0)).isEqualTo(old);
    }

    @Test
    void idlePartitionsOfASessionAreNotLookedAt() {
        List<FakePartition> many = new ArrayList<>();
        control.submit(new Command.CreateTopics(
                List.of(new Command.CreateTopic("many", 1000, (short) 1, Map.of(), List.of())), false));
        Uuid id = control.image().topic("many").orElseThrow().topicId();
        Map<TopicPartition, FetchRequest.PartitionData> wanted = new LinkedHashMap<>();
        for (int i = 0; i < 1000; i++) {
            FakePartition partition = new FakePartition("many", id, i, 1000 + i);
            many.add(partition);
            directory.open(partition);
            wanted.put(
                    new TopicPartition("many", i),
                    new FetchRequest.PartitionData(id, 0, -1, 1 << 20, Optional.empty()));
        }
        Fetch full = new Fetch().session(0, 0).waiting(0);
        int session = response(full.send(FetchRequest.Builder.forConsumer(LATEST, 0, 1, wanted)))
                .sessionId();
        int before = 0;
        for (int epoch = 1; epoch <= 50; epoch++) {
            Fetch next = new Fetch().session(session, epoch);
            if (epoch > 1) {
                TopicPartition served = new TopicPartition("many", epoch - 1);
                next.wanted.put(served, new FetchRequest.PartitionData(id, 1, -1, 1 << 20, Optional.empty()));
            }
            OpenRequest request = next.send();
            many.get(epoch).append(1, 10);
            run();
            assertThat(answers(request).keySet()).containsExactly(epoch);
            if (epoch == 1) {
                before = looks(many);
            }
        }
        assertThat(looks(many) - before).as("49 requests over 1000 partitions").isLessThan(500);
        many.forEach(partition -> assertThat(partition.watchers()).isEqualTo(1));
    }

    private static int looks(List<FakePartition> partitions) {
        return partitions.stream().mapToInt(partition -> partition.looks.get()).sum();
    }
}
