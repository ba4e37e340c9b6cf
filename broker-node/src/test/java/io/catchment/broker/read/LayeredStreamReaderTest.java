package io.catchment.broker.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.testing.CatalogImage;
import io.catchment.broker.testing.MemoryExtents;
import io.catchment.broker.testing.MemoryObjects;
import io.catchment.broker.testing.TestBatches;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ReadClass;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LayeredStreamReaderTest {
    private static final long STREAM = 7;

    private final MemoryExtents extents = new MemoryExtents();
    private final MemoryObjects objects = new MemoryObjects(3);
    private final AtomicReference<CatalogImage> image =
            new AtomicReference<>(CatalogImage.empty().withStream(STREAM));
    private final ReadBudget budget = new ReadBudget(8 << 20);
    private final LayeredStreamReader reader =
            new LayeredStreamReader(extents, objects, image::get, new ReadBudgets(budget, budget), Runnable::run);

    @AfterEach
    void everyBufferIsReleasedAndTheBudgetIsWhole() {
        assertThat(extents.buffers.unreleased()).isZero();
        assertThat(objects.buffers.unreleased()).isZero();
        assertThat(budget.usedBytes()).isZero();
    }

    private BatchRun read(long from, long limit, int bytes) {
        return reader.read(STREAM, from, limit, bytes)
                .toCompletableFuture()
                .orTimeout(20, TimeUnit.SECONDS)
                .join();
    }

    private byte[] readBytes(long from, long limit, int bytes) {
        BatchRun run = read(from, limit, bytes);
        try {
            return TestBatches.bytes(run.payload());
        } finally {
            run.payload().release();
        }
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private void publish(long objectId, byte[]... batches) {
        objects.put(objectId, List.of(batches));
        image.updateAndGet(now -> now.published(STREAM, objectId, List.of(batches)));
    }

    @Test
    void aReadStartsAtTheBatchThatHoldsTheOffsetAndEndsAtAWholeBatch() {
        byte[] a = TestBatches.batch(0, 10, 20);
        byte[] b = TestBatches.batch(10, 10, 20);
        byte[] c = TestBatches.batch(20, 10, 20);
        extents.add(1, STREAM, a, b, c);

        assertThat(readBytes(15, 30, 1 << 20)).isEqualTo(concat(b, c));
        assertThat(readBytes(15, 30, b.length + c.length - 1)).isEqualTo(b);
        assertThat(readBytes(15, 29, 1 << 20)).as("no batch past the limit").isEqualTo(b);
        assertThat(readBytes(25, 29, 1 << 20))
                .as("the only batch ends past the limit")
                .isEmpty();
        assertThat(readBytes(0, 30, 1)).as("one batch though it is larger").isEqualTo(a);
        BatchRun run = read(15, 30, 1 << 20);
        assertThat(run.baseOffset()).isEqualTo(10);
        assertThat(run.endOffset()).isEqualTo(30);
        run.payload().release();
    }

    @Test
    void anObjectReadSkipsTheIndexStepAndGrowsUntilOneBatchFits() {
        byte[][] batches = new byte[10][];
        for (int i = 0; i < batches.length; i++) {
            batches[i] = TestBatches.batch(i * 5L, 5, 300);
        }
        publish(100, batches);

        assertThat(readBytes(22, 50, 10))
                .as("two batches of the step lie before it")
                .isEqualTo(batches[4]);
        assertThat(readBytes(49, 50, 1 << 20)).isEqualTo(batches[9]);
        assertThat(readBytes(0, 50, 1 << 20)).isEqualTo(concat(batches));
    }

    @Test
    void whatIsPublishedSaysHowMuchThereIsToRead() {
        byte[] a = TestBatches.batch(0, 10, 20);
        byte[] b = TestBatches.batch(10, 10, 20);
        publish(100, a, b);
        assertThat(reader.bytesAtMost(STREAM, 0, 1 << 20)).isEqualTo(a.length + b.length);
        assertThat(reader.bytesAtMost(STREAM, 0, 10)).isEqualTo(10);
        assertThat(readBytes(0, 20, reader.bytesAtMost(STREAM, 0, 1 << 20))).isEqualTo(concat(a, b));
        assertThat(reader.bytesAtMost(STREAM, 20, 1 << 20))
                .as("not published, so not known")
                .isEqualTo(1 << 20);
    }

    @Test
    void anExtentThatIsDeletedBeforeItsReadSendsTheReadToTheObject() {
        byte[] batch = TestBatches.batch(0, 10, 100);
        extents.add(1, STREAM, batch);
        extents.beforeRead(extent -> {
            publish(100, batch);
            extents.drop(extent);
        });

        assertThat(readBytes(3, 10, 1000)).isEqualTo(batch);
        assertThat(reader.served().objectReads()).isEqualTo(1);
    }

    /** Netty tells want of direct memory by an error. */
    @Test
    void aReadForWhichThereIsNoMemoryFailsAndTakesNothingFromOthers() {
        byte[] batch = TestBatches.batch(0, 10, 100);
        extents.add(1, STREAM, batch);
        extents.beforeRead(extent -> {
            throw new OutOfMemoryError("direct");
        });
        for (int i = 0; i < 3; i++) {
            for (ReadClass as : ReadClass.values()) {
                assertThatThrownBy(() -> read(as)).hasCauseInstanceOf(IOException.class);
            }
        }
        assertThat(budget.usedBytes()).isZero();
        extents.beforeRead(extent -> {});
        for (ReadClass as : ReadClass.values()) {
            BatchRun run = read(as);
            assertThat(TestBatches.bytes(run.payload())).isEqualTo(batch);
            run.payload().release();
        }
    }

    private BatchRun read(ReadClass as) {
        return reader.read(STREAM, 0, 10, 1000, as)
                .toCompletableFuture()
                .orTimeout(5, TimeUnit.SECONDS)
                .join();
    }

    @Test
    void anUnreadableExtentIsReadFromItsObjectOnceThatIsPublished() {
        byte[] batch = TestBatches.batch(0, 10, 100);
        extents.add(1, STREAM, batch);
        extents.failReads(new IOException("EIO"));
        assertThatThrownBy(() -> read(0, 10, 1000)).hasCauseInstanceOf(IOException.class);

        publish(100, batch);
        assertThat(readBytes(0, 10, 1000)).isEqualTo(batch);
    }

    /** Else a deleted key's old value could be read from an extent, and its tombstone, which is gone from the object, from nowhere. */
    @Test
    void whatIsCompactedIsReadFromItsObjectThoughAnExtentHasMore() {
        byte[] a = TestBatches.batch(0, 5, 20);
        byte[] b = TestBatches.batch(5, 5, 20);
        byte[] c = TestBatches.batch(10, 5, 20);
        byte[] d = TestBatches.batch(15, 5, 20);
        extents.add(1, STREAM, a, b, c, d);
        publish(100, a, b, c);
        objects.put(101, List.of(b, c));
        image.updateAndGet(now -> now.compacted(STREAM, 101, List.of(c)));

        assertThat(readBytes(0, 20, 1 << 20)).as("the next batch there is").isEqualTo(concat(b, c));
        assertThat(readBytes(15, 20, 1 << 20)).as("not compacted").isEqualTo(d);
        objects.fail(new ObjectStoreException(ObjectStoreException.Reason.TRANSIENT, "away", null));
        assertThatThrownBy(() -> read(0, 20, 1000)).hasCauseInstanceOf(ObjectStoreException.class);
        objects.fail(null);
    }

    @Test
    void anOffsetThatCompactionTookAwayGivesTheNextBatch() {
        byte[] early = TestBatches.batch(2, 3, 20);
        byte[] late = TestBatches.batch(50, 3, 20);
        byte[] last = TestBatches.batch(90, 10, 20);
        publish(100, TestBatches.batch(0, 100, 20));
        objects.put(101, List.of(early, late, last));
        image.updateAndGet(now -> now.compacted(STREAM, 101, List.of(last)));

        assertThat(readBytes(0, 100, 1 << 20)).isEqualTo(concat(early, late, last));
        for (long gone : new long[] {5, 20, 49}) {
            assertThat(readBytes(gone, 100, 1)).isEqualTo(late);
        }
        assertThat(readBytes(89, 100, 1)).isEqualTo(last);
        assertThat(readBytes(5, 60, 1 << 20)).as("up to the limit").isEqualTo(late);
        assertThat(readBytes(53, 60, 1 << 20)).as("nothing up to the limit").isEmpty();
    }

    @Test
    void anOffsetInNeitherLevelFailsLoudly() {
        extents.add(1, STREAM, TestBatches.batch(20, 10, 10));
        publish(100, TestBatches.batch(0, 10, 10));

        assertThatThrownBy(() -> read(12, 30, 1000))
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(OffsetGapException.class)
                .hasMessageContaining("offset 12 of stream 7");
    }

    @Test
    void belowTheLogStartAndOfAGoneStreamNothingIsRead() {
        publish(100, TestBatches.batch(0, 10, 10), TestBatches.batch(10, 10, 10));
        image.updateAndGet(now -> now.logStart(STREAM, 10));
        BatchRun below = read(5, 20, 1000);
        assertThat(below.isEmpty()).isTrue();
        assertThat(below.baseOffset()).isEqualTo(5);

        image.updateAndGet(now -> now.withoutStream(STREAM));
        assertThat(readBytes(12, 20, 1000)).isEmpty();
    }

    @Test
    void rangesInAManifestAreReadAsThoseOfTheCatalog() {
        byte[][] batches = new byte[4][];
        for (int i = 0; i < batches.length; i++) {
            batches[i] = TestBatches.batch(i * 10L, 10, 50);
            publish(100 + i, batches[i]);
        }
        image.updateAndGet(now -> now.listed(STREAM, 200, 2, objects));
        image.updateAndGet(now -> now.listed(STREAM, 201, 1, objects));
        for (int offset = 0; offset < 40; offset++) {
            assertThat(readBytes(offset, 40, 1000)).isEqualTo(batches[offset / 10]);
        }
    }

    /** The manifest was replaced by a larger one between the image and the read. */
    @Test
    void aManifestThatIsGoneSendsTheReadToTheOneInItsPlace() {
        byte[] batch = TestBatches.batch(0, 10, 50);
        publish(100, batch);
        publish(101, TestBatches.batch(10, 10, 50));
        CatalogImage before = image.get();
        image.set(before.listed(STREAM, 200, 1, objects));
        objects.withoutManifest(200);
        objects.beforeManifest(() -> {
            image.set(before.listed(STREAM, 201, 1, objects));
            objects.beforeManifest(() -> {});
        });
        assertThat(readBytes(3, 20, 1000)).isEqualTo(batch);
    }

    @Test
    void aManifestThatCannotBeReadFailsTheReadsThatNeedItOnly() {
        byte[] newest = TestBatches.batch(10, 10, 50);
        publish(100, TestBatches.batch(0, 10, 50));
        publish(101, newest);
        image.updateAndGet(now -> now.listed(STREAM, 200, 1, objects));
        objects.withoutManifest(200);
        assertThatThrownBy(() -> read(0, 20, 1000)).hasCauseInstanceOf(ObjectStoreException.class);
        assertThat(readBytes(10, 20, 1000)).isEqualTo(newest);
    }

    @Test
    void aFailingObjectStoreFailsTheRead() {
        publish(100, TestBatches.batch(0, 10, 10));
        objects.fail(new ObjectStoreException(ObjectStoreException.Reason.TRANSIENT, "503", null));
        assertThatThrownBy(() -> read(0, 10, 1000)).hasCauseInstanceOf(ObjectStoreException.class);
    }

    @Test
    void anExtentAddedBeforeTheAbsentStretchEndsIsFoundAgain() {
        publish(100, TestBatches.batch(0, 10, 10), TestBatches.batch(10, 10, 10));
        extents.add(5, STREAM, TestBatches.batch(20, 10, 10));
        assertThat(readBytes(0, 30, 10)).isNotEmpty();
        assertThat(readBytes(10, 30, 10)).as("hinted to be in no extent").isNotEmpty();
        assertThat(reader.served().objectReads()).isEqualTo(2);
        extents.add(6, STREAM, TestBatches.batch(30, 10, 10));
        assertThat(readBytes(20, 40, 10)).isEqualTo(TestBatches.batch(20, 10, 10));
        assertThat(readBytes(30, 40, 10)).isEqualTo(TestBatches.batch(30, 10, 10));
        assertThat(reader.served().extentReads()).isEqualTo(2);
    }

    @Test
    void readsWaitForTheBudgetInOrderAndMayBeGivenUp() {
        ReadBudget small = new ReadBudget(8000);
        LayeredStreamReader narrow =
                new LayeredStreamReader(extents, objects, image::get, new ReadBudgets(small, small), Runnable::run);
        byte[] batch = TestBatches.batch(0, 1, 900);
        extents.add(1, STREAM, batch);
        List<BatchRun> held = new ArrayList<>();
        while (small.usedBytes() + 1000 <= 8000) {
            held.add(narrow.read(STREAM, 0, 1, 5000).toCompletableFuture().join());
        }
        assertThat(held).hasSizeGreaterThanOrEqualTo(7);

        CompletableFuture<BatchRun> first = narrow.read(STREAM, 0, 1, 5000).toCompletableFuture();
        CompletableFuture<BatchRun> second = narrow.read(STREAM, 0, 1, 5000).toCompletableFuture();
        CompletableFuture<BatchRun> third = narrow.read(STREAM, 0, 1, 5000).toCompletableFuture();
        assertThat(narrow.readIfRoom(STREAM, 0, 1, 5000, ReadClass.TAIL)
                        .toCompletableFuture()
                        .join()
                        .isEmpty())
                .isTrue();
        assertThat(first).isNotDone();
        first.cancel(false);
        held.remove(0).payload().release();
        assertThat(second).isCompleted();
        assertThat(third).isNotDone();
        held.add(second.join());
        held.remove(0).payload().release();
        held.add(third.join());
        held.forEach(run -> run.payload().release());
        assertThat(small.usedBytes()).isZero();
        assertThat(small.waiting()).isZero();
    }

    @Test
    void readersThatCatchUpTakeNeitherTheMemoryNorTheDiskOfThoseAtTheTail() {
        ReadBudgets budgets = ReadBudgets.ofBytes(32_000);
        LayeredStreamReader both = new LayeredStreamReader(extents, objects, image::get, budgets, Runnable::run);
        extents.add(1, STREAM, TestBatches.batch(0, 1, 900));
        List<Runnable> disk = new ArrayList<>();
        extents.readOn(disk::add);
        List<CompletableFuture<BatchRun>> catchingUp = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            catchingUp.add(both.read(STREAM, 0, 1, 2000, ReadClass.CATCH_UP).toCompletableFuture());
        }
        assertThat(disk).as("reads of the disk at a time").hasSize(2);
        assertThat(budgets.catchUp().waiting()).isPositive();
        CompletableFuture<BatchRun> tail =
                both.read(STREAM, 0, 1, 1000, ReadClass.TAIL).toCompletableFuture();
        assertThat(disk).as("goes to the disk at once").hasSize(3);
        disk.remove(2).run();
        assertThat(tail).isCompleted();
        tail.join().payload().release();

        int answered = 0;
        while (answered < catchingUp.size()) {
            assertThat(disk).as("after %d answers", answered).isNotEmpty();
            disk.remove(0).run();
            for (CompletableFuture<BatchRun> one : catchingUp.subList(answered, catchingUp.size())) {
                if (one.isDone()) {
                    one.join().payload().release();
                    answered++;
                }
            }
        }
        assertThat(budgets.catchUp().usedBytes()).isZero();
        assertThat(budgets.tail().usedBytes()).isZero();
    }

    @Test
    void readsThatWereGivenUpWhileTheyWaitedForTheDiskAreNotMade() {
        extents.add(1, STREAM, TestBatches.batch(0, 1, 900));
        List<Runnable> disk = new ArrayList<>();
        extents.readOn(disk::add);
        List<CompletableFuture<BatchRun>> reads = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            reads.add(reader.read(STREAM, 0, 1, 2000, ReadClass.CATCH_UP).toCompletableFuture());
        }
        reads.subList(2, 19).forEach(read -> read.cancel(false));
        disk.remove(0).run();
        disk.remove(0).run();
        assertThat(disk).as("only the last one is still wanted").hasSize(1);
        disk.remove(0).run();
        for (int i : new int[] {0, 1, 19}) {
            reads.get(i).join().payload().release();
        }
    }

    @Test
    void aReadThatCatchesUpAndFailsGivesItsTurnBack() {
        extents.add(1, STREAM, TestBatches.batch(0, 1, 900));
        for (int i = 0; i < 10; i++) {
            extents.failReads(new IOException("unreadable"));
            assertThat(reader.read(STREAM, 0, 1, 2000, ReadClass.CATCH_UP).toCompletableFuture())
                    .isCompletedExceptionally();
        }
        extents.failReads(null);
        reader.read(STREAM, 0, 1, 2000, ReadClass.CATCH_UP)
                .toCompletableFuture()
                .join()
                .payload()
                .release();
    }

    /**
     * A random log, tiered at random while four readers walk it: each must read exactly the bytes of the log, whatever level they
     * come from and whatever is deleted under way.
     */
    @Test
    void readersCrossTheLevelsWhileExtentsAreFlushedAndDeleted() throws Exception {
        long seed = Long.getLong("seed", ThreadLocalRandom.current().nextLong());
        String replay = "replay: mvn test -Dtest=LayeredStreamReaderTest -DargLine=-Dseed=" + seed;
        Random random = new Random(seed);
        List<byte[]> log = new ArrayList<>();
        List<List<byte[]>> byExtent = new ArrayList<>();
        long offset = 0;
        for (int extent = 0; extent < 40; extent++) {
            List<byte[]> in = new ArrayList<>();
            int frames = 1 + random.nextInt(8);
            for (int frame = 0; frame < frames; frame++) {
                byte[][] batches = new byte[1 + random.nextInt(3)][];
                for (int i = 0; i < batches.length; i++) {
                    batches[i] = TestBatches.batch(offset, 1 + random.nextInt(20), random.nextInt(200));
                    offset = TestBatches.endOffset(batches[i]);
                    log.add(batches[i]);
                    in.add(batches[i]);
                }
                extents.add(extent, STREAM, batches);
                extents.add(extent, STREAM + 1, TestBatches.batch(extent * 100L, 5, 10));
            }
            byExtent.add(in);
        }
        long end = offset;
        ExecutorService pool = Executors.newFixedThreadPool(3);
        try {
            extents.readOn(pool);
            objects.readOn(pool);
            Tiering tiering = new Tiering(byExtent, new Random(seed + 1));
            extents.beforeRead(extent -> tiering.maybe(extent));
            List<CompletableFuture<Void>> walks = new ArrayList<>();
            for (int walker = 0; walker < 4; walker++) {
                Random own = new Random(seed + 10 + walker);
                walks.add(CompletableFuture.runAsync(() -> walk(log, end, own, replay)));
            }
            for (CompletableFuture<Void> walk : walks) {
                walk.get(60, TimeUnit.SECONDS);
            }
            walk(log, end, new Random(seed + 99), replay);
            assertThat(tiering.published).as(replay).isPositive();
        } finally {
            pool.shutdown();
            assertThat(pool.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    /** Publishes extents in order, and deletes some, at the worst moment: after one was looked up and before it is read. */
    private final class Tiering {
        private final List<List<byte[]>> byExtent;
        private final Random random;
        private int published;

        Tiering(List<List<byte[]>> byExtent, Random random) {
            this.byExtent = byExtent;
            this.random = random;
        }

        synchronized void maybe(long extentRead) {
            if (random.nextInt(8) > 0) {
                return;
            }
            while (published < byExtent.size() && published <= extentRead) {
                List<byte[]> batches = byExtent.get(published);
                long objectId = 1000L + published;
                objects.put(objectId, batches);
                image.updateAndGet(now -> now.published(STREAM, objectId, batches));
                published++;
                int old = image.get().stream(STREAM).orElseThrow().catalog().size() - 2;
                if (old > 0 && random.nextInt(4) == 0) {
                    long manifestId = 2000L + published;
                    image.updateAndGet(now -> now.listed(STREAM, manifestId, old, objects));
                }
                if (random.nextInt(4) > 0) {
                    extents.drop(published - 1);
                }
            }
        }
    }

    private void walk(List<byte[]> log, long end, Random random, String replay) {
        int index = random.nextInt(log.size());
        while (index < log.size()) {
            byte[] first = log.get(index);
            long base = TestBatches.baseOffset(first);
            long from = base + random.nextInt((int) (TestBatches.endOffset(first) - base));
            int max = 1 + random.nextInt(4000);
            BatchRun run = read(from, end, max);
            byte[] bytes = TestBatches.bytes(run.payload());
            run.payload().release();
            assertThat(run.baseOffset()).as(replay).isEqualTo(base);
            assertThat(bytes.length)
                    .as(replay)
                    .satisfiesAnyOf(length -> assertThat(length).isLessThanOrEqualTo(max), length -> assertThat(length)
                            .isEqualTo(first.length));
            ByteArrayOutputStream expected = new ByteArrayOutputStream();
            while (expected.size() < bytes.length) {
                expected.writeBytes(log.get(index++));
            }
            assertThat(bytes).as(replay).isEqualTo(expected.toByteArray());
            assertThat(run.endOffset()).as(replay).isEqualTo(TestBatches.endOffset(log.get(index - 1)));
        }
    }
}
