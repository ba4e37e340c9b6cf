package io.catchment.broker.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.testing.CatalogImage;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakePeers;
import io.catchment.broker.testing.MemoryExtents;
import io.catchment.broker.testing.MemoryObjects;
import io.catchment.broker.testing.TestBatches;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.StreamState.EpochStart;
import io.catchment.controlplane.StreamState.Writer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Node 3 serves a stream whose frames lie, not all of them here, on the stores of nodes 1, 2 and 3. */
class PeerReadTest {
    private static final long STREAM = 7;
    private static final Writer ONE = new Writer(1, 1);
    private static final Writer THREE = new Writer(3, 3);
    private static final ExtentState.Store STORE_1 = new ExtentState.Store(1, "store-1");
    private static final ExtentState.Store STORE_2 = new ExtentState.Store(2, "store-2");
    private static final ExtentState.Store STORE_3 = new ExtentState.Store(3, "memory");
    private static final long WHOLE = CatalogImage.EXTENT_BYTES;

    private final MemoryExtents here = new MemoryExtents();
    private final FakePeers peers = new FakePeers();
    private final MemoryObjects objects = new MemoryObjects(3);
    private final AtomicReference<CatalogImage> image = new AtomicReference<>(CatalogImage.over(new FakeControlPlane()
                    .withNode(1, "L")
                    .withNode(2, "L")
                    .withNode(3, "L")
                    .image())
            .withStream(STREAM)
            .owned(STREAM, THREE, List.of(new EpochStart(5, 0)), List.of(ONE, THREE), null));
    private final ReadBudget budget = new ReadBudget(8 << 20);
    private final LayeredStreamReader reader = new LayeredStreamReader(
            new StreamExtents(here, FakePeers.ref(3), peers, 2_000, 5_000),
            objects,
            image::get,
            new ReadBudgets(budget, budget),
            Runnable::run);

    @AfterEach
    void everyBufferIsReleasedAndTheBudgetIsWhole() {
        assertThat(here.buffers.unreleased()).isZero();
        assertThat(objects.buffers.unreleased()).isZero();
        assertThat(peers.unreleased()).isZero();
        assertThat(budget.usedBytes()).isZero();
    }

    private CompletableFuture<BatchRun> start(LayeredStreamReader from, long offset, long limit) {
        return from.read(STREAM, offset, limit, 1 << 20).toCompletableFuture();
    }

    private byte[] bytes(CompletableFuture<BatchRun> read) {
        BatchRun run = read.orTimeout(20, TimeUnit.SECONDS).join();
        try {
            return TestBatches.bytes(run.payload());
        } finally {
            run.payload().release();
        }
    }

    private byte[] read(long offset, long limit) {
        return bytes(start(reader, offset, limit));
    }

    private void sealed(long extentId, Writer writer, ExtentState.Store... stores) {
        image.updateAndGet(now -> now.extent(extentId, Phase.SEALED, writer, stores));
    }

    private void open(long extentId, Writer writer, ExtentState.Store... stores) {
        image.updateAndGet(now -> now.extent(extentId, Phase.OPEN, writer, stores));
    }

    private void publish(long objectId, byte[]... batches) {
        objects.put(objectId, List.of(batches));
        image.updateAndGet(now -> now.published(STREAM, objectId, List.of(batches)));
    }

    @Test
    void whatIsOnOtherNodesOnlyIsReadThereAndCounted() {
        byte[] a = TestBatches.batch(0, 10, 20);
        byte[] b = TestBatches.batch(10, 10, 20);
        sealed(4, ONE, STORE_1, STORE_2);
        peers.store(1).add(4, STREAM, a);
        peers.store(1).add(4, STREAM, b);

        assertThat(read(3, 10)).isEqualTo(a);
        assertThat(read(10, 20)).isEqualTo(b);
        assertThat(peers.askedFor("floor")).as("the second read knows where").isEqualTo(1);
        assertThat(reader.served().peerReads()).isEqualTo(2);
        assertThat(reader.served().peerBytes()).isEqualTo(a.length + 2 * b.length);
        assertThat(reader.served().extentReads()).isZero();
    }

    @Test
    void whatIsHereOrPublishedIsNotAskedFor() {
        sealed(4, ONE, STORE_1, STORE_2);
        sealed(5, ONE, STORE_1, STORE_3);
        publish(100, TestBatches.batch(0, 10, 20));
        here.add(5, STREAM, TestBatches.batch(10, 10, 20));
        here.show(5, WHOLE);
        assertThat(read(0, 20)).isNotEmpty();
        assertThat(read(10, 20)).isNotEmpty();
        assertThat(peers.asked()).isEmpty();
    }

    @Test
    void aHolderThatCannotBeReachedIsPassedOverAndAskedLastForAWhile() {
        byte[] batch = TestBatches.batch(0, 10, 20);
        sealed(4, ONE, STORE_1, STORE_2);
        peers.cutOff(1);
        peers.store(2).add(4, STREAM, batch);
        assertThat(read(0, 10)).isEqualTo(batch);
        assertThat(read(0, 10)).isEqualTo(batch);
        assertThat(peers.asked().stream().filter(asked -> asked.startsWith("1 ")))
                .as("asked once, for the first look-up")
                .hasSize(1);
    }

    @Test
    void aHolderThatDoesNotAnswerInTimeIsPassedOverAndWhatItBringsLaterIsReleased() {
        LayeredStreamReader impatient = new LayeredStreamReader(
                new StreamExtents(here, FakePeers.ref(3), peers, 30, 30),
                objects,
                image::get,
                new ReadBudgets(budget, budget),
                Runnable::run);
        byte[] batch = TestBatches.batch(0, 10, 20);
        sealed(4, ONE, STORE_1, STORE_2);
        peers.store(1).add(4, STREAM, batch);
        peers.store(2).add(4, STREAM, batch);
        assertThat(bytes(start(impatient, 0, 10))).isEqualTo(batch);
        peers.hang(1);
        assertThat(bytes(start(impatient, 0, 10))).isEqualTo(batch);
        assertThat(peers.asked()).contains("1 read 4", "2 read 4");
        peers.answerLate();
    }

    @Test
    void ofAnOpenExtentTheWritersStoreIsAskedFirstSinceReplicasHearLater() {
        byte[] a = TestBatches.batch(0, 10, 20);
        byte[] b = TestBatches.batch(10, 10, 20);
        open(4, ONE, STORE_2, STORE_1, STORE_3);
        peers.store(1).add(4, STREAM, a);
        peers.store(1).add(4, STREAM, b);
        peers.store(2).add(4, STREAM, a);
        here.add(4, STREAM, a);
        assertThat(read(0, 20)).as("as far as it is here").isEqualTo(a);
        assertThat(read(10, 20)).isEqualTo(b);
        assertThat(peers.asked()).containsExactly("1 floor 4", "1 read 4");
    }

    @Test
    void aCopyHereThatWasAMomentBehindIsReadAgain() {
        byte[] a = TestBatches.batch(0, 10, 20);
        byte[] b = TestBatches.batch(10, 10, 20);
        open(4, ONE, STORE_1, new ExtentState.Store(3, FakePeers.ref(3).storeId()));
        peers.store(1).add(4, STREAM, a);
        peers.store(1).add(4, STREAM, b);
        assertThat(read(0, 20)).isNotEmpty();
        assertThat(reader.served().peerReads()).isEqualTo(1);
        here.add(4, STREAM, a);
        here.add(4, STREAM, b);
        assertThat(read(10, 20)).isEqualTo(b);
        assertThat(reader.served().peerReads()).as("not over the wire").isEqualTo(1);
        assertThat(reader.served().extentReads()).isEqualTo(1);
    }

    /** Nothing that is asked of this node's disk comes back before {@link #answer}. */
    private static final class HungDisk implements Executor {
        private final List<Runnable> asked = new CopyOnWriteArrayList<>();
        private volatile boolean hangs = true;

        @Override
        public void execute(Runnable task) {
            if (hangs) {
                asked.add(task);
            } else {
                task.run();
            }
        }

        void answer() {
            hangs = false;
            asked.forEach(Runnable::run);
            asked.clear();
        }
    }

    private LayeredStreamReader readerSearchingOn(Executor searches) {
        return new LayeredStreamReader(
                new StreamExtents(here, FakePeers.ref(3), peers, 2_000, 5_000),
                objects,
                image::get,
                new ReadBudgets(budget, budget),
                searches);
    }

    @Test
    void objectsAndOtherStoresAreReadWhileASearchOfThisDiskHangs() {
        byte[] a = TestBatches.batch(0, 10, 20);
        byte[] b = TestBatches.batch(10, 10, 20);
        HungDisk disk = new HungDisk();
        LayeredStreamReader hung = readerSearchingOn(disk);
        publish(100, a);
        sealed(5, ONE, STORE_1, STORE_3);
        here.add(5, STREAM, b);
        here.show(5, WHOLE);
        peers.store(1).add(5, STREAM, b);
        assertThat(bytes(start(hung, 0, 10))).isEqualTo(a);
        assertThat(bytes(start(hung, 10, 20))).isEqualTo(b);
        assertThat(peers.asked()).contains("1 read 5");
        int waiting = disk.asked.size();
        for (int i = 0; i < 20; i++) {
            assertThat(bytes(start(hung, 0, 10))).isEqualTo(a);
            assertThat(bytes(start(hung, 10, 20))).isEqualTo(b);
        }
        assertThat(disk.asked).as("what waits for the disk").hasSize(waiting);
        assertThat(waiting).isEqualTo(1);

        disk.answer();
        long atPeers = hung.served().peerReads();
        assertThat(bytes(start(hung, 10, 20))).isEqualTo(b);
        assertThat(hung.served().peerReads()).isEqualTo(atPeers);
        assertThat(hung.served().extentReads()).isEqualTo(1);
    }

    @Test
    void anotherStoreIsReadWhileAReadOfThisDiskHangsAndWhatItBringsLaterIsReleased() {
        byte[] batch = TestBatches.batch(0, 10, 20);
        sealed(5, ONE, STORE_1, STORE_3);
        here.add(5, STREAM, batch);
        here.show(5, WHOLE);
        peers.store(1).add(5, STREAM, batch);
        assertThat(read(0, 10)).isEqualTo(batch);
        assertThat(peers.asked()).isEmpty();
        HungDisk disk = new HungDisk();
        here.readOn(disk);
        assertThat(read(0, 10)).isEqualTo(batch);
        assertThat(read(0, 10)).isEqualTo(batch);
        assertThat(reader.served().peerReads()).isEqualTo(2);
        assertThat(disk.asked).hasSize(1);
        disk.answer();
        assertThat(read(0, 10)).isEqualTo(batch);
        assertThat(reader.served().peerReads()).isEqualTo(2);
    }

    @Test
    void aDiskThatHangsIsNoGapThoughNobodyElseHasTheOffset() {
        byte[] batch = TestBatches.batch(0, 10, 20);
        sealed(5, ONE, STORE_3);
        here.add(5, STREAM, batch);
        here.show(5, WHOLE);
        HungDisk disk = new HungDisk();
        assertThatThrownBy(() -> bytes(start(readerSearchingOn(disk), 0, 10))).hasCauseInstanceOf(IOException.class);
        disk.answer();
    }

    @Test
    void offsetsThatNoStoreShowsYetAreWaitedFor() {
        byte[] batch = TestBatches.batch(0, 10, 20);
        open(4, ONE, STORE_1, STORE_2);
        AtomicInteger answers = new AtomicInteger();
        peers.store(1).show(4, 0);
        peers.beforeAnswer(() -> {
            if (answers.incrementAndGet() == 7) {
                peers.store(2).add(4, STREAM, batch);
            }
        });
        peers.store(2).show(4, 0);
        assertThat(read(0, 10)).isEqualTo(batch);
    }

    @Test
    void whatIsNeverShownFailsAfterAWhileAndSaysSo() {
        open(4, ONE, STORE_1, STORE_2);
        peers.store(1).show(4, 0);
        peers.store(2).show(4, 0);
        assertThatThrownBy(() -> read(0, 10))
                .hasCauseInstanceOf(IOException.class)
                .hasMessageContaining("is not visible on any store yet");
        assertThat(peers.asked()).as("with pauses in between").hasSizeLessThan(30);
    }

    @Test
    void offsetsBetweenFramesAreAGapAndNotData() {
        sealed(4, ONE, STORE_1, STORE_2);
        peers.store(1).add(4, STREAM, TestBatches.batch(0, 10, 20));
        peers.store(1).add(4, STREAM, TestBatches.batch(20, 10, 20));
        assertThatThrownBy(() -> read(10, 30))
                .hasCauseInstanceOf(OffsetGapException.class)
                .hasMessageContaining("offset 10 of stream 7")
                .hasMessageContaining("unflushed elsewhere [4]");
    }

    @Test
    void holdersThatAreAllAwayAreNoGap() {
        sealed(4, ONE, STORE_1, STORE_2);
        peers.cutOff(1);
        peers.cutOff(2);
        assertThatThrownBy(() -> read(0, 10))
                .hasCauseInstanceOf(IOException.class)
                .hasMessageContaining("cannot be reached");
    }

    @Test
    void anExtentThatIsFlushedAndDeletedBetweenLookUpAndReadIsReadFromItsObject() {
        byte[] batch = TestBatches.batch(0, 10, 20);
        sealed(4, ONE, STORE_1);
        peers.store(1).add(4, STREAM, batch);
        peers.store(1).beforeRead(extent -> {
            publish(100, batch);
            image.updateAndGet(now -> now.extent(4, Phase.FLUSHED, ONE, STORE_1));
            peers.store(1).drop(4);
        });
        assertThat(read(3, 10)).isEqualTo(batch);
        assertThat(reader.served().objectReads()).isEqualTo(1);
    }

    @Test
    void aHintThatNamesAnExtentWhichIsGoneIsForgotten() {
        byte[] a = TestBatches.batch(0, 10, 20);
        byte[] b = TestBatches.batch(10, 10, 20);
        sealed(4, ONE, STORE_1);
        peers.store(1).add(4, STREAM, a);
        peers.store(1).add(4, STREAM, b);
        assertThat(read(0, 10)).isEqualTo(a);
        publish(100, a, b);
        peers.store(1).drop(4);
        assertThat(read(10, 20)).as("deleted, though the image does not say so").isEqualTo(b);
        image.updateAndGet(now -> now.extent(4, Phase.FLUSHED, ONE, STORE_1));
        assertThat(read(0, 10)).isEqualTo(a);
        assertThat(reader.served().objectReads()).isEqualTo(2);
    }

    @Test
    void anExtentOfThisNodeOfWhichItLostItsCopyIsReadElsewhere() {
        byte[] batch = TestBatches.batch(0, 10, 20);
        sealed(4, THREE, STORE_3, STORE_2);
        peers.store(2).add(4, STREAM, batch);
        assertThat(read(0, 10)).isEqualTo(batch);
    }

    @Test
    void whatThisDiskDoesNotGiveIsReadFromAnotherHolder() {
        byte[] batch = TestBatches.batch(0, 10, 20);
        sealed(4, ONE, STORE_3, STORE_1);
        here.add(4, STREAM, batch);
        here.show(4, WHOLE);
        peers.store(1).add(4, STREAM, batch);
        here.failReads(new IOException("EIO"));
        assertThat(read(0, 10)).isEqualTo(batch);
        peers.cutOff(1);
        assertThatThrownBy(() -> read(0, 10)).hasMessageContaining("EIO");
    }

    @Test
    void writersOfOtherStreamsAreNotAsked() {
        sealed(4, new Writer(2, 2), STORE_1, STORE_2);
        peers.store(1).add(4, STREAM, TestBatches.batch(0, 10, 20));
        assertThatThrownBy(() -> read(0, 10)).hasCauseInstanceOf(OffsetGapException.class);
        assertThat(peers.asked()).isEmpty();
    }

    /** A random log in extents on random stores, flushed and deleted while readers walk it: each reads exactly the log's bytes. */
    @Test
    void readersCrossNodesAndLevelsWhileExtentsAreFlushedAndDeleted() throws Exception {
        long seed = Long.getLong("seed", ThreadLocalRandom.current().nextLong());
        String replay = "replay: mvn test -Dtest=PeerReadTest -DargLine=-Dseed=" + seed;
        Random random = new Random(seed);
        List<List<byte[]>> byExtent = new ArrayList<>();
        List<byte[]> log = new ArrayList<>();
        long offset = 0;
        for (int extent = 1; extent <= 30; extent++) {
            List<byte[]> batches = new ArrayList<>();
            for (int frame = random.nextInt(6); frame >= 0; frame--) {
                byte[] batch = TestBatches.batch(offset, 1 + random.nextInt(20), random.nextInt(200));
                offset = TestBatches.endOffset(batch);
                batches.add(batch);
                log.add(batch);
            }
            byExtent.add(batches);
            place(extent, batches, random);
        }
        long end = offset;
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            here.readOn(pool);
            peers.store(1).readOn(pool);
            peers.store(2).readOn(pool);
            objects.readOn(pool);
            Flush flush = new Flush(byExtent, new Random(seed + 1));
            here.beforeRead(extent -> flush.maybe());
            peers.store(1).beforeRead(extent -> flush.maybe());
            peers.store(2).beforeRead(extent -> flush.maybe());
            List<CompletableFuture<Void>> walks = new ArrayList<>();
            for (int walker = 0; walker < 3; walker++) {
                Random own = new Random(seed + 10 + walker);
                walks.add(CompletableFuture.runAsync(() -> walk(log, end, own, replay)));
            }
            for (CompletableFuture<Void> walk : walks) {
                walk.get(60, TimeUnit.SECONDS);
            }
            walk(log, end, new Random(seed + 99), replay);
        } finally {
            pool.shutdown();
            assertThat(pool.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    /** On one or two of three stores; now and then a replica lags. */
    private void place(long extentId, List<byte[]> batches, Random random) {
        int without = random.nextInt(3);
        boolean isOpen = random.nextInt(4) == 0;
        MemoryExtents[] stores = {peers.store(1), peers.store(2), here};
        ExtentState.Store[] refs = {STORE_1, STORE_2, STORE_3};
        int writer = without == 0 ? 1 : 0;
        for (int i = 0; i < stores.length; i++) {
            int shown = isOpen && i != writer ? random.nextInt(batches.size() + 1) : batches.size();
            if (i != without) {
                for (byte[] batch : batches.subList(0, shown)) {
                    stores[i].add(extentId, STREAM, batch);
                }
                stores[i].show(extentId, isOpen ? 1 : WHOLE);
            }
        }
        image.updateAndGet(now -> now.extent(
                extentId,
                isOpen ? Phase.OPEN : Phase.SEALED,
                ONE,
                refs[writer],
                without == 2 ? refs[1 - writer] : refs[2]));
    }

    /** Publishes extents in order and deletes them everywhere, at the worst moment: after one was looked up and before it is read. */
    private final class Flush {
        private final List<List<byte[]>> byExtent;
        private final Random random;
        private int published;

        Flush(List<List<byte[]>> byExtent, Random random) {
            this.byExtent = byExtent;
            this.random = random;
        }

        synchronized void maybe() {
            if (random.nextInt(6) > 0 || published > 20) {
                return;
            }
            long extentId = published + 1L;
            List<byte[]> batches = byExtent.get(published++);
            publish(1000 + extentId, batches.toArray(byte[][]::new));
            image.updateAndGet(now -> now.extent(extentId, Phase.FLUSHED, ONE, STORE_1));
            here.drop(extentId);
            peers.store(1).drop(extentId);
            peers.store(2).drop(extentId);
        }
    }

    private void walk(List<byte[]> log, long end, Random random, String replay) {
        int index = 0;
        while (index < log.size()) {
            BatchRun run = reader.read(STREAM, TestBatches.baseOffset(log.get(index)), end, 1 + random.nextInt(2000))
                    .toCompletableFuture()
                    .orTimeout(20, TimeUnit.SECONDS)
                    .join();
            byte[] read = TestBatches.bytes(run.payload());
            run.payload().release();
            assertThat(read).as(replay).isNotEmpty();
            int at = 0;
            while (at < read.length) {
                byte[] expected = log.get(index++);
                assertThat(Arrays.copyOfRange(read, at, at + expected.length))
                        .as(replay)
                        .isEqualTo(expected);
                at += expected.length;
            }
            assertThat(run.endOffset()).as(replay).isEqualTo(TestBatches.endOffset(log.get(index - 1)));
        }
    }
}
