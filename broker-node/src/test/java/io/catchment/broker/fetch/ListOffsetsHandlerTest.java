package io.catchment.broker.fetch;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.partition.PartitionView.EpochStart;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.broker.read.ReadBudget;
import io.catchment.broker.read.ReadBudgets;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.testing.CatalogImage;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeDirectory;
import io.catchment.broker.testing.FakePartition;
import io.catchment.broker.testing.FakePeers;
import io.catchment.broker.testing.MemoryExtents;
import io.catchment.broker.testing.MemoryObjects;
import io.catchment.broker.testing.OpenRequest;
import io.catchment.broker.testing.TestBatches;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.StreamState;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ListOffsetsHandlerTest {
    private static final String TOPIC = "readings";
    private static final long STREAM = 7;
    private static final short LATEST = ApiKeys.LIST_OFFSETS.latestVersion(true);

    private final FakeControlPlane control = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final MemoryExtents extents = new MemoryExtents();
    private final MemoryObjects objects = new MemoryObjects(3);
    private final AtomicReference<CatalogImage> image = new AtomicReference<>();
    private final ReadBudget budget = new ReadBudget(8 << 20);
    private final FakeDirectory directory = new FakeDirectory();
    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private ListOffsetsHandler handler = new ListOffsetsHandler(
            directory,
            new LayeredStreamReader(extents, objects, image::get, new ReadBudgets(budget, budget), Runnable::run),
            extents,
            objects,
            image::get,
            executor);
    private final List<byte[]> log = new ArrayList<>();
    private FakePartition partition = new FakePartition("none", org.apache.kafka.common.Uuid.ZERO_UUID, 0, STREAM);

    @BeforeEach
    void createTopic() {
        control.submit(
                new Command.CreateTopics(List.of(new Command.CreateTopic(TOPIC, 1, (short) 1, Map.of())), false));
        image.set(CatalogImage.over(control.image()).withStream(STREAM));
        partition = new FakePartition(
                TOPIC, control.image().topic(TOPIC).orElseThrow().topicId(), 0, STREAM);
        directory.open(partition);
    }

    @AfterEach
    void everyBufferIsReleased() {
        executor.shutdown();
        assertThat(extents.buffers.unreleased()).isZero();
        assertThat(objects.buffers.unreleased()).isZero();
        assertThat(budget.usedBytes()).isZero();
    }

    // ---- the log under test

    private byte[] batch(Compression compression, long... timestamps) {
        byte[] batch = TestBatches.batch(partition.highWatermark, 2, compression, 20, timestamps);
        log.add(batch);
        partition.append(batch);
        return batch;
    }

    private void inExtent(long extentId, long... timestamps) {
        extents.add(extentId, STREAM, batch(Compression.NONE, timestamps));
    }

    private void published(long objectId, long[]... batches) {
        List<byte[]> range = new ArrayList<>();
        for (long[] timestamps : batches) {
            range.add(batch(Compression.lz4().build(), timestamps));
        }
        objects.put(objectId, range);
        image.updateAndGet(now -> now.published(STREAM, objectId, range));
    }

    // ---- requests

    private ListOffsetsPartitionResponse ask(long timestamp) throws InterruptedException {
        return ask(timestamp, LATEST, IsolationLevel.READ_UNCOMMITTED, -1);
    }

    private ListOffsetsPartitionResponse ask(long timestamp, int version, IsolationLevel isolation, int leaderEpoch)
            throws InterruptedException {
        return ask(
                version,
                isolation,
                new ListOffsetsTopic()
                        .setName(TOPIC)
                        .setPartitions(List.of(new ListOffsetsPartition()
                                .setPartitionIndex(0)
                                .setCurrentLeaderEpoch(leaderEpoch)
                                .setTimestamp(timestamp))));
    }

    private ListOffsetsPartitionResponse ask(int version, IsolationLevel isolation, ListOffsetsTopic topic)
            throws InterruptedException {
        ListOffsetsRequest body = ListOffsetsRequest.Builder.forConsumer(true, isolation)
                .setTargetTimes(List.of(topic))
                .setTimeoutMs(10_000)
                .build((short) version);
        OpenRequest request = new OpenRequest(body, new EmbeddedChannel().eventLoop());
        handler.handle(request);
        ListOffsetsResponse response = (ListOffsetsResponse) request.await();
        return response.topics().get(0).partitions().get(0);
    }

    private static void assertAnswer(ListOffsetsPartitionResponse answer, long timestamp, long offset, int epoch) {
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        assertThat(answer.offset()).as("offset").isEqualTo(offset);
        assertThat(answer.timestamp()).as("timestamp").isEqualTo(timestamp);
        assertThat(answer.leaderEpoch()).as("leader epoch").isEqualTo(epoch);
    }

    // ---- tests

    @Test
    void earliestAndLatestNeedNoSearch() throws InterruptedException {
        inExtent(1, 100, 200, 300);
        partition.logStartOffset = 1;
        partition.leaderEpoch = 4;
        partition.epochStarts = List.of(new EpochStart(2, 0), new EpochStart(4, 2));
        for (int version = 1; version <= LATEST; version++) {
            ListOffsetsPartitionResponse earliest =
                    ask(ListOffsetsRequest.EARLIEST_TIMESTAMP, version, IsolationLevel.READ_UNCOMMITTED, -1);
            assertAnswer(earliest, -1, 1, version >= 4 ? 2 : -1);
            assertAnswer(ask(ListOffsetsRequest.LATEST_TIMESTAMP), -1, 3, 4);
        }
        partition.lastStableOffset = 2;
        assertAnswer(ask(ListOffsetsRequest.LATEST_TIMESTAMP, LATEST, IsolationLevel.READ_COMMITTED, -1), -1, 2, 4);
    }

    @Test
    void theFirstRecordInOffsetOrderWithThatTimeIsFoundOnEachLevel() throws InterruptedException {
        published(100, new long[] {10, 30, 20}, new long[] {15, 25}, new long[] {40, 35}, new long[] {5, 60});
        inExtent(1, 50, 70);
        inExtent(1, 65, 64);
        inExtent(2, 90, 80);

        assertAnswer(ask(0), 10, 0, 2);
        assertAnswer(ask(11), 30, 1, 2);
        assertAnswer(ask(31), 40, 5, 2);
        assertAnswer(ask(41), 60, 8, 2);
        assertAnswer(ask(61), 70, 10, 2);
        assertAnswer(ask(71), 90, 13, 2);
        assertAnswer(ask(91), -1, -1, -1);
    }

    @Test
    void aTimeInPublishedRangesCostsAtMostOneIndexStepOfOneObject() throws InterruptedException {
        for (int object = 0; object < 3; object++) {
            List<byte[]> range = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                long offset = partition.highWatermark;
                byte[] large = TestBatches.batch(
                        offset, 2, Compression.NONE, 20_000, new long[] {100 * offset, 100 * offset + 50});
                partition.append(large);
                range.add(large);
            }
            long objectId = 100 + object;
            objects.put(objectId, range);
            image.updateAndGet(now -> now.published(STREAM, objectId, range));
        }
        for (long offset = 0; offset < partition.highWatermark; offset += 14) {
            int before = objects.reads.get();
            assertAnswer(ask(100 * offset + 1), 100 * offset + 50, offset + 1, 2);
            assertThat(objects.reads.get() - before).as("offset %d", offset).isOne();
        }
    }

    @Test
    void aFrameOfSeveralBatchesIsSearchedToo() throws InterruptedException {
        byte[] first = batch(Compression.NONE, 10, 20);
        byte[] second = batch(Compression.gzip().build(), 90, 30);
        extents.add(1, STREAM, first, second);
        inExtent(1, 95);

        assertAnswer(ask(50), 90, 2, 2);
        assertAnswer(ask(ListOffsetsRequest.MAX_TIMESTAMP), 95, 4, 2);
        assertAnswer(ask(15), 20, 1, 2);
    }

    @Test
    void theLatestTimeIsFoundOnEachLevel() throws InterruptedException {
        assertAnswer(ask(ListOffsetsRequest.MAX_TIMESTAMP), -1, -1, -1);
        published(100, new long[] {10, 99}, new long[] {15, 25}, new long[] {99, 35});
        assertAnswer(ask(ListOffsetsRequest.MAX_TIMESTAMP), 99, 1, 2);
        inExtent(1, 99, 98);
        assertAnswer(ask(ListOffsetsRequest.MAX_TIMESTAMP), 99, 1, 2);
        inExtent(2, 97, 100, 100);
        inExtent(3, 100);
        assertAnswer(ask(ListOffsetsRequest.MAX_TIMESTAMP), 100, 9, 2);
    }

    @Test
    void recordsBelowTheLogStartAreNotFound() throws InterruptedException {
        published(100, new long[] {10, 99}, new long[] {15, 25}, new long[] {50, 35});
        partition.logStartOffset = 2;
        image.updateAndGet(now -> now.logStart(STREAM, 2));
        assertAnswer(ask(5), 15, 2, 2);
        assertAnswer(ask(60), -1, -1, -1);
        assertAnswer(ask(ListOffsetsRequest.MAX_TIMESTAMP), 50, 4, 2);
        partition.logStartOffset = 3;
        assertAnswer(ask(5), 25, 3, 2);
    }

    @Test
    void recordsPastTheLastStableOffsetAreNotFoundByReadCommitted() throws InterruptedException {
        inExtent(1, 10, 20);
        inExtent(1, 30, 40);
        partition.lastStableOffset = 2;
        assertAnswer(ask(25, LATEST, IsolationLevel.READ_COMMITTED, -1), -1, -1, -1);
        assertAnswer(ask(25, LATEST, IsolationLevel.READ_UNCOMMITTED, -1), 30, 2, 2);
        assertAnswer(ask(ListOffsetsRequest.MAX_TIMESTAMP, LATEST, IsolationLevel.READ_COMMITTED, -1), 20, 1, 2);
    }

    @Test
    void localTieredAndPendingOffsetsTellWhereTheLevelsMeet() throws InterruptedException {
        partition.epochStarts = List.of(new EpochStart(2, 0));
        assertAnswer(ask(ListOffsetsRequest.LATEST_TIERED_TIMESTAMP), -1, -1, -1);
        assertAnswer(ask(ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP), -1, 0, 2);
        assertAnswer(ask(ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP), -1, 0, 2);
        published(100, new long[] {1, 2}, new long[] {3, 4});
        extents.add(1, STREAM, log.get(1));
        inExtent(1, 5, 6);
        assertAnswer(ask(ListOffsetsRequest.LATEST_TIERED_TIMESTAMP), -1, 3, 2);
        assertAnswer(ask(ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP), -1, 4, 2);
        assertAnswer(ask(ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP), -1, 2, 2);
        extents.drop(1);
        assertAnswer(ask(ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP), -1, 4, 2);
        objects.put(101, List.of(log.get(2)));
        image.updateAndGet(now -> now.published(STREAM, 101, List.of(log.get(2))));
        assertAnswer(ask(ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP), -1, 6, 2);
    }

    @Test
    void framesOnOtherNodesAreSearchedTooAndWhatNobodyShowsIsNotAnsweredAround() throws InterruptedException {
        StreamState.Writer one = new StreamState.Writer(1, 1);
        StreamState.Writer two = new StreamState.Writer(2, 2);
        ExtentState.Store[] stores = {new ExtentState.Store(2, "store-2"), new ExtentState.Store(3, "store-3")};
        FakePeers peers = new FakePeers();
        StreamExtents everywhere = StreamExtents.of(extents, 1, peers);
        handler = new ListOffsetsHandler(
                directory,
                new LayeredStreamReader(
                        everywhere, objects, image::get, new ReadBudgets(budget, budget), Runnable::run),
                everywhere,
                objects,
                image::get,
                executor);
        published(100, new long[] {1, 2});
        byte[] sealed = batch(Compression.NONE, 50, 30);
        byte[] open = batch(Compression.NONE, 60, 70);
        inExtent(9, 40, 80);
        image.updateAndGet(
                now -> now.owned(STREAM, one, List.of(new StreamState.EpochStart(2, 6)), List.of(two, one), null)
                        .extent(4, Phase.SEALED, two, stores)
                        .extent(5, Phase.OPEN, two, stores)
                        .extent(9, Phase.OPEN, one, new ExtentState.Store(1, "memory")));
        peers.store(2).add(4, STREAM, sealed);
        peers.store(2).show(4, CatalogImage.EXTENT_BYTES);
        peers.store(2).show(5, 0);
        peers.store(3).add(5, STREAM, open);

        assertAnswer(ask(45), 50, 2, 2);
        assertAnswer(ask(65), 70, 5, 2);
        assertAnswer(ask(75), 80, 7, 2);
        assertAnswer(ask(ListOffsetsRequest.MAX_TIMESTAMP), 80, 7, 2);
        assertAnswer(ask(ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP), -1, 2, 0);

        peers.store(2).show(4, 8);
        assertThat(Errors.forCode(ask(75).errorCode())).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
        assertThat(peers.unreleased()).isZero();
    }

    @Test
    void specialTimestampsNeedTheirVersion() throws InterruptedException {
        Map<Long, Integer> since = Map.of(-3L, 7, -4L, 8, -5L, 9, -6L, 11);
        for (Map.Entry<Long, Integer> entry : since.entrySet()) {
            for (int version = 1; version <= LATEST; version++) {
                ListOffsetsPartitionResponse answer = ask(entry.getKey(), version, IsolationLevel.READ_UNCOMMITTED, -1);
                Errors expected = version < entry.getValue() ? Errors.UNSUPPORTED_VERSION : Errors.NONE;
                assertThat(Errors.forCode(answer.errorCode())).isEqualTo(expected);
            }
        }
        assertThat(ask(-7).errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
    }

    @Test
    void wrongPartitionsAndEpochsAreRefused() throws InterruptedException {
        partition.leaderEpoch = 3;
        assertThat(ask(-1, LATEST, IsolationLevel.READ_UNCOMMITTED, 2).errorCode())
                .isEqualTo(Errors.FENCED_LEADER_EPOCH.code());
        assertThat(ask(-1, LATEST, IsolationLevel.READ_UNCOMMITTED, 4).errorCode())
                .isEqualTo(Errors.UNKNOWN_LEADER_EPOCH.code());
        ListOffsetsPartition twice =
                new ListOffsetsPartition().setPartitionIndex(0).setTimestamp(-1);
        assertThat(ask(
                                LATEST,
                                IsolationLevel.READ_UNCOMMITTED,
                                new ListOffsetsTopic().setName(TOPIC).setPartitions(List.of(twice, twice.duplicate())))
                        .errorCode())
                .isEqualTo(Errors.INVALID_REQUEST.code());
        ListOffsetsTopic unknown = new ListOffsetsTopic()
                .setName("nowhere")
                .setPartitions(
                        List.of(new ListOffsetsPartition().setPartitionIndex(0).setTimestamp(-1)));
        assertThat(ask(LATEST, IsolationLevel.READ_UNCOMMITTED, unknown).errorCode())
                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        directory.close(partition);
        assertThat(ask(-1).errorCode()).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER.code());
    }

    @Test
    void aSearchThatTakesTooLongTimesOut() throws InterruptedException {
        published(100, new long[] {10, 20});
        objects.readOn(never -> {});
        ListOffsetsRequest body = ListOffsetsRequest.Builder.forConsumer(true, IsolationLevel.READ_UNCOMMITTED)
                .setTargetTimes(List.of(new ListOffsetsTopic()
                        .setName(TOPIC)
                        .setPartitions(List.of(
                                new ListOffsetsPartition().setPartitionIndex(0).setTimestamp(15)))))
                .setTimeoutMs(50)
                .build(LATEST);
        OpenRequest request = new OpenRequest(body, new EmbeddedChannel().eventLoop());
        handler.handle(request);
        ListOffsetsResponse response = (ListOffsetsResponse) request.await();
        assertThat(response.topics().get(0).partitions().get(0).errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
    }

    @Test
    void aFailingStoreIsARetriableError() throws InterruptedException {
        published(100, new long[] {10, 20});
        objects.fail(new IllegalStateException("store is gone"));
        assertThat(ask(15).errorCode()).isEqualTo(Errors.KAFKA_STORAGE_ERROR.code());
    }

    /** Random logs on random levels against a scan of all records. */
    @Test
    void searchesAgreeWithAScanOfTheLog() throws InterruptedException {
        long seed = Long.getLong("seed", ThreadLocalRandom.current().nextLong());
        String replay = "replay: mvn test -Dtest=ListOffsetsHandlerTest -DargLine=-Dseed=" + seed;
        Random random = new Random(seed);
        List<long[]> records = new ArrayList<>();
        for (int level = 0; level < 12; level++) {
            int batches = 1 + random.nextInt(6);
            List<long[]> range = new ArrayList<>();
            for (int i = 0; i < batches; i++) {
                range.add(random.longs(1 + random.nextInt(5), 0, 200).toArray());
            }
            long base = partition.highWatermark;
            if (level < 6) {
                published(100 + level, range.toArray(long[][]::new));
                int listed = random.nextInt(3);
                if (listed > 0
                        && image.get().stream(STREAM).orElseThrow().catalog().size() > listed) {
                    long manifestId = 200 + level;
                    image.updateAndGet(now -> now.listed(STREAM, manifestId, listed, objects));
                }
            } else {
                int extent = level;
                range.forEach(timestamps -> inExtent(extent, timestamps));
            }
            for (long[] timestamps : range) {
                for (long timestamp : timestamps) {
                    records.add(new long[] {base++, timestamp});
                }
            }
        }
        partition.logStartOffset = random.nextInt(records.size() / 2);
        partition.lastStableOffset = Long.MAX_VALUE;
        for (int i = 0; i < 60; i++) {
            long time = random.nextInt(210);
            long[] expected = records.stream()
                    .filter(record -> record[0] >= partition.logStartOffset && record[1] >= time)
                    .findFirst()
                    .orElse(new long[] {-1, -1});
            ListOffsetsPartitionResponse answer = ask(time);
            assertThat(new long[] {answer.offset(), answer.timestamp()})
                    .as(replay)
                    .isEqualTo(expected);
        }
        Predicate<long[]> present = record -> record[0] >= partition.logStartOffset;
        long latest = records.stream()
                .filter(present)
                .mapToLong(record -> record[1])
                .max()
                .orElseThrow();
        long[] expected = records.stream()
                .filter(present.and(record -> record[1] == latest))
                .findFirst()
                .orElseThrow();
        ListOffsetsPartitionResponse answer = ask(ListOffsetsRequest.MAX_TIMESTAMP);
        assertThat(new long[] {answer.offset(), answer.timestamp()}).as(replay).isEqualTo(expected);
    }
}
