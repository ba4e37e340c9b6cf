package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.partition.StreamOpening.Found;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.broker.read.ReadBudget;
import io.catchment.broker.read.ReadBudgets;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.testing.CatalogImage;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakePeers;
import io.catchment.broker.testing.MemoryExtents;
import io.catchment.broker.testing.MemoryObjects;
import io.catchment.broker.testing.TestBatches;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.EpochStart;
import io.catchment.controlplane.StreamState.Handover;
import io.catchment.controlplane.StreamState.Writer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Node 3, in its epoch 3, opens streams that others wrote: their frames lie on the stores of nodes 1, 2 and 4, some of them here. */
class PeerOpeningTest {
    private static final long STREAM = 9;
    private static final long PRODUCER = 77;
    private static final ProducerStateManagerConfig CONFIG = new ProducerStateManagerConfig(86_400_000, true);
    private static final Writer ONE = new Writer(1, 1);
    private static final Writer TWO = new Writer(2, 2);
    private static final Writer THREE = new Writer(3, 3);
    private static final Writer NOT_OPEN_BY_THREE = new Writer(3, -1);
    private static final ExtentState.Store STORE_1 = new ExtentState.Store(1, "store-1");
    private static final ExtentState.Store STORE_2 = new ExtentState.Store(2, "store-2");
    private static final ExtentState.Store STORE_3 = new ExtentState.Store(3, "memory");
    private static final ExtentState.Store STORE_4 = new ExtentState.Store(4, "store-4");
    private static final long WHOLE = CatalogImage.EXTENT_BYTES;

    private final MemoryExtents here = new MemoryExtents();
    private final FakePeers peers = new FakePeers();
    private final MemoryObjects objects = new MemoryObjects(3);
    private final ReadBudget budget = new ReadBudget(8 << 20);
    private final AtomicReference<CatalogImage> image = new AtomicReference<>(CatalogImage.over(new FakeControlPlane()
                    .withNode(1, "L")
                    .withNode(2, "L")
                    .withNode(3, "L")
                    .withNode(4, "L")
                    .image())
            .withStream(STREAM));
    private final Map<StreamState, Throwable> failures = new HashMap<>();
    private final byte[] first = idempotent(0, 0, 2);
    private final byte[] second = idempotent(2, 2, 3);
    private final byte[] third = idempotent(5, 5, 1);

    @AfterEach
    void everyBufferIsReleased() {
        assertThat(here.buffers.unreleased()).isZero();
        assertThat(peers.unreleased()).isZero();
        assertThat(objects.buffers.unreleased()).isZero();
        assertThat(budget.usedBytes()).isZero();
    }

    // ---- a stream's past

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

    private static byte[] checkpoint(byte[]... batches) {
        ProducerStates states = new ProducerStates(new TopicPartition("t", 0), CONFIG, Time.SYSTEM);
        for (byte[] batch : batches) {
            states.replay(ByteBuffer.wrap(batch), 0);
        }
        ByteBuf out = Unpooled.buffer();
        states.writeTo(out);
        return TestBatches.bytes(out);
    }

    private void taken(List<EpochStart> starts, Writer... writers) {
        image.updateAndGet(now -> now.owned(STREAM, NOT_OPEN_BY_THREE, starts, List.of(writers), null));
    }

    private void handed(Handover handover, Writer... writers) {
        image.updateAndGet(now -> now.owned(
                STREAM,
                THREE,
                List.of(new EpochStart(1, 0), new EpochStart(2, handover.endOffset())),
                List.of(writers),
                handover));
    }

    private void extent(long extentId, Phase phase, Writer writer, ExtentState.Store... stores) {
        image.updateAndGet(now -> now.extent(extentId, phase, writer, stores));
    }

    private void store(int node, long extentId, int epoch, byte[]... batches) {
        MemoryExtents store = node == 3 ? here : peers.store(node);
        for (byte[] batch : batches) {
            store.addOf(epoch, extentId, STREAM, batch);
        }
        store.show(extentId, WHOLE);
    }

    // ---- opening

    private List<Found> open() {
        StreamExtents extents = StreamExtents.of(here, 3, peers);
        StreamOpening opening = new StreamOpening(
                new StreamOpening.Owner(3, 3),
                new StreamOpening.Sources(
                        extents,
                        new LayeredStreamReader(
                                extents, objects, image::get, new ReadBudgets(budget, budget), Runnable::run),
                        objects),
                CONFIG,
                Time.SYSTEM,
                image::get);
        return new OpeningRound(opening, 32, 20_000, Time.SYSTEM)
                .find(List.copyOf(image.get().streams()), failures::put);
    }

    private Found openOne() {
        List<Found> found = open();
        assertThat(failures).isEmpty();
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private Throwable failToOpen() {
        assertThat(open()).isEmpty();
        assertThat(failures).hasSize(1);
        return failures.values().iterator().next();
    }

    private static void assertKnows(Found found, byte[]... batches) {
        for (byte[] batch : batches) {
            assertThat(found.producers().duplicateOf(ByteBuffer.wrap(batch), 0)).isNotNull();
        }
    }

    // ---- claimed

    @Test
    void aStreamOfThreeWritersIsPutTogetherFromWhereTheirExtentsLie() {
        taken(List.of(new EpochStart(1, 0), new EpochStart(2, 2), new EpochStart(3, 5)), ONE, TWO, THREE);
        extent(4, Phase.OPEN, ONE, STORE_1, STORE_2);
        store(1, 4, 1, first);
        extent(5, Phase.SEALED, TWO, STORE_2, STORE_4);
        store(4, 5, 2, second);
        store(2, 5, 2, second);
        extent(6, Phase.SEALED, THREE, STORE_3, STORE_1);
        store(3, 6, 3, third);
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(6);
        assertThat(found.handedOver()).isFalse();
        assertKnows(found, first, second, third);
        assertThat(peers.asked()).noneMatch(asked -> asked.endsWith(" 6"));
    }

    @Test
    void theNewestCheckpointIsReadWhereItLies() {
        taken(List.of(new EpochStart(1, 0)), ONE);
        extent(4, Phase.SEALED, ONE, STORE_1, STORE_2);
        peers.cutOff(1);
        store(2, 4, 1, first, second);
        peers.store(2).addCheckpoint(4, STREAM, 5, checkpoint(first, second));
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(5);
        assertKnows(found, first, second);
        assertThat(peers.asked()).contains("2 payload 4");
    }

    @Test
    void eachExtentIsAskedOnceWhichStreamsItHasAndThenForTheFramesOfThose() {
        int count = 1_000;
        CatalogImage many = image.get().withoutStream(STREAM);
        for (int i = 0; i < count; i++) {
            long streamId = 100 + i;
            many = many.withStream(streamId)
                    .owned(streamId, NOT_OPEN_BY_THREE, List.of(new EpochStart(1, 0)), List.of(ONE), null);
            if (i % 4 == 0) {
                peers.store(1).addOf(1, 4, streamId, idempotent(0, 0, 2));
                peers.store(2).addOf(1, 4, streamId, idempotent(0, 0, 2));
            }
        }
        image.set(many);
        for (long extentId = 4; extentId < 8; extentId++) {
            extent(extentId, Phase.SEALED, ONE, STORE_1, STORE_2);
            peers.store(1).show(extentId, WHOLE);
        }
        List<Found> found = open();
        assertThat(failures).isEmpty();
        assertThat(found).hasSize(count);
        assertThat(found.stream().filter(each -> each.endOffset() == 2)).hasSize(count / 4);
        assertThat(peers.askedFor("streams")).isEqualTo(4);
        assertThat(peers.askedFor("index")).isEqualTo(count / 4);
    }

    @Test
    void aReplicaThatDoesNotShowAllYetIsAskedAgainAndTheEndIsNeverTooLow() {
        taken(List.of(new EpochStart(1, 0), new EpochStart(2, 5)), ONE);
        extent(4, Phase.OPEN, ONE, STORE_1, STORE_2);
        peers.cutOff(1);
        store(2, 4, 1, first);
        AtomicInteger answers = new AtomicInteger();
        peers.beforeAnswer(() -> {
            if (answers.incrementAndGet() == 5) {
                store(2, 4, 1, second);
            }
        });
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(5);
        assertKnows(found, first, second);
    }

    @Test
    void ofSeveralReplicasOfAnOpenExtentTheOneThatShowsMostIsBelieved() {
        taken(List.of(new EpochStart(1, 0), new EpochStart(2, 5)), ONE);
        extent(4, Phase.OPEN, ONE, STORE_1, STORE_2, STORE_3, STORE_4);
        store(1, 4, 1);
        store(2, 4, 1, first);
        store(3, 4, 1, first);
        store(4, 4, 1, first, second);
        assertThat(openOne().endOffset()).isEqualTo(5);
    }

    @Test
    void whatFallsShortOfTheLastEpochsStartIsNotOpened() {
        taken(List.of(new EpochStart(1, 0), new EpochStart(2, 5)), ONE);
        extent(4, Phase.OPEN, ONE, STORE_1, STORE_2);
        store(1, 4, 1, first);
        store(2, 4, 1, first);
        assertThat(failToOpen())
                .isInstanceOf(StreamNotReadableException.class)
                .hasMessageContaining("misses offsets 2 to 5");
    }

    @Test
    void aMissingMiddleIsNotOpened() {
        taken(List.of(new EpochStart(1, 0), new EpochStart(3, 5)), ONE, TWO);
        extent(4, Phase.SEALED, ONE, STORE_1);
        store(1, 4, 1, first);
        extent(6, Phase.SEALED, TWO, STORE_2);
        store(2, 6, 3, third);
        assertThat(failToOpen()).hasMessageContaining("misses offsets 2 to 5");
    }

    @Test
    void aStoreThatDoesNotShowAllOfASealedExtentIsNotBelieved() {
        taken(List.of(new EpochStart(1, 0)), ONE);
        extent(4, Phase.SEALED, ONE, STORE_1, STORE_2);
        store(1, 4, 1, first);
        peers.store(1).show(4, WHOLE - 8);
        store(2, 4, 1, first, second);
        assertThat(openOne().endOffset()).isEqualTo(5);

        peers.store(2).drop(4);
        assertThat(failToOpen()).isInstanceOf(IOException.class).hasMessageContaining("it shows 92");
    }

    @Test
    void aStoreThatLostTheExtentBetweenTwoQuestionsIsNotBelieved() {
        taken(List.of(new EpochStart(1, 0)), ONE);
        extent(4, Phase.SEALED, ONE, STORE_1, STORE_2);
        store(1, 4, 1, first);
        store(2, 4, 1, first);
        AtomicInteger answers = new AtomicInteger();
        peers.beforeAnswer(() -> {
            if (answers.incrementAndGet() == 4) {
                peers.store(1).drop(4);
            }
        });
        assertThat(openOne().endOffset()).isEqualTo(2);
        assertThat(peers.asked()).contains("1 index 4", "2 index 4");
    }

    @Test
    void anExtentThatIsFlushedMeanwhileIsLookedForInTheNewestCatalog() {
        taken(List.of(new EpochStart(1, 0)), ONE);
        extent(4, Phase.SEALED, ONE, STORE_1);
        store(1, 4, 1, first, second);
        AtomicInteger answers = new AtomicInteger();
        peers.beforeAnswer(() -> {
            if (answers.incrementAndGet() == 2) {
                objects.put(100, List.of(first, second));
                image.updateAndGet(now -> now.published(STREAM, 100, List.of(first, second)));
                extent(4, Phase.FLUSHED, ONE, STORE_1);
                peers.store(1).drop(4);
            }
        });
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(5);
        assertThat(found.stream().catalogEndOffset()).isEqualTo(5);
        assertKnows(found, first, second);
    }

    @Test
    void twoOwnersThatWroteTheSameOffsetsAreABrokenInvariant() {
        taken(List.of(new EpochStart(1, 0), new EpochStart(2, 2)), ONE, TWO);
        extent(4, Phase.SEALED, ONE, STORE_1);
        store(1, 4, 1, first, second);
        extent(5, Phase.SEALED, TWO, STORE_2);
        store(2, 5, 2, idempotent(2, 2, 4));
        assertThat(failToOpen()).isInstanceOf(IllegalStateException.class).hasMessageContaining("P4");
    }

    @Test
    void aStreamWhoseWriterIsUnderRecoveryWaits() {
        taken(List.of(new EpochStart(1, 0)), ONE);
        extent(4, Phase.RECOVERING, ONE, STORE_1, STORE_3);
        store(3, 4, 1, first);
        assertThat(failToOpen())
                .isInstanceOf(StreamNotReadableException.class)
                .hasMessageContaining("extent 4 of node 1 is recovered");
    }

    @Test
    void aStreamThatWentToAnotherNodeMeanwhileIsNeitherFoundNorFailed() {
        image.updateAndGet(now -> now.owned(STREAM, TWO, List.of(), List.of(TWO), null));
        assertThat(open()).isEmpty();
        assertThat(failures).isEmpty();
    }

    @Test
    void anOlderCheckpointInAnExtentDoesNotHideWhatWasPublishedAfterIt() {
        taken(List.of(new EpochStart(1, 0)), THREE);
        // Published in part: the extent stays though its offsets, and those of a later extent, are in the catalog
        extent(4, Phase.SEALED, THREE, STORE_3);
        store(3, 4, 1, first);
        here.addCheckpoint(4, STREAM, 2, checkpoint(first));
        objects.put(100, List.of(first));
        objects.put(101, List.of(second));
        image.updateAndGet(now -> now.published(STREAM, 100, List.of(first)).published(STREAM, 101, List.of(second)));
        extent(6, Phase.SEALED, THREE, STORE_3);
        store(3, 6, 1, third);
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(6);
        assertKnows(found, first, second, third);
    }

    // ---- handed over

    @Test
    void aStreamThatWasHandedOverIsOpenedFromTheCheckpointItsLastOwnerLeft() {
        byte[] state = checkpoint(first, second);
        extent(4, Phase.OPEN, ONE, STORE_1, STORE_2);
        store(1, 4, 1, first, second);
        peers.store(1).addCheckpoint(4, STREAM, 5, state);
        handed(new Handover(5, 4, 1_000, state.length), ONE, THREE);
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(5);
        assertThat(found.handedOver()).isTrue();
        assertKnows(found, first, second);
        assertThat(peers.asked()).containsExactly("1 payload 4");
    }

    @Test
    void theCheckpointIsReadHereIfThisStoreShowsIt() {
        byte[] state = checkpoint(first);
        extent(4, Phase.OPEN, ONE, STORE_1, STORE_3);
        store(3, 4, 1, first);
        here.addCheckpoint(4, STREAM, 2, state);
        here.show(4, 1_000 + state.length - 1);
        peers.store(1).addCheckpoint(4, STREAM, 2, state);
        handed(new Handover(2, 4, 1_000, state.length), ONE, THREE);
        assertKnows(openOne(), first);
        assertThat(peers.asked()).as("one byte short of visible").containsExactly("1 payload 4");

        here.show(4, 1_000 + state.length);
        assertKnows(openOne(), first);
        assertThat(peers.asked()).hasSize(1);
    }

    @Test
    void withoutACheckpointOrWhenItIsFlushedTheFramesAreRead() {
        extent(4, Phase.OPEN, ONE, STORE_1, STORE_2);
        store(1, 4, 1, first, second);
        handed(new Handover(5, 0, 0, 0), ONE, THREE);
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(5);
        assertKnows(found, first, second);

        byte[] state = checkpoint(first, second);
        objects.put(100, List.of(first, second));
        image.updateAndGet(now -> now.published(STREAM, 100, List.of(first, second)));
        extent(4, Phase.FLUSHED, ONE, STORE_1, STORE_2);
        handed(new Handover(5, 4, 1_000, state.length), ONE, THREE);
        found = openOne();
        assertThat(found.endOffset()).isEqualTo(5);
        assertThat(found.handedOver()).isTrue();
        assertKnows(found, first, second);
    }

    @Test
    void aCheckpointThatNobodyCanReadIsReplacedByTheFrames() {
        extent(4, Phase.OPEN, ONE, STORE_1, STORE_2);
        store(2, 4, 1, first);
        peers.cutOff(1);
        handed(new Handover(2, 4, 1_000, checkpoint(first).length), ONE, THREE);
        assertKnows(openOne(), first);
    }

    @Test
    void framesPastTheHandedOverEndAreABrokenInvariant() {
        extent(4, Phase.SEALED, ONE, STORE_1);
        store(1, 4, 1, first, second);
        handed(new Handover(2, 0, 0, 0), ONE, THREE);
        assertThat(failToOpen()).isInstanceOf(IllegalStateException.class).hasMessageContaining("P1");
    }

    @Test
    void ofAStreamWithoutProducersNothingIsRead() {
        extent(4, Phase.OPEN, ONE, STORE_1, STORE_2);
        handed(new Handover(5, 4, 1_000, checkpoint().length), ONE, THREE);
        Found found = openOne();
        assertThat(found.endOffset()).isEqualTo(5);
        assertThat(found.producers().isEmpty()).isTrue();
        assertThat(peers.asked()).isEmpty();
    }
}
