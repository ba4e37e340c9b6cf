package io.catchment.objectstore.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.BundleBuilder.Built;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectReader.Location;
import io.catchment.objectstore.ObjectReader.RangeRead;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.ReadClass;
import io.catchment.objectstore.bundle.BundleWriter;
import io.catchment.objectstore.testing.ScriptedStore;
import io.catchment.objectstore.testing.ScriptedStore.Fail;
import io.catchment.objectstore.testing.ScriptedStore.Garble;
import io.catchment.objectstore.testing.ScriptedStore.Late;
import io.catchment.objectstore.transfer.Direction;
import io.catchment.objectstore.transfer.ObjectTransfers;
import io.catchment.objectstore.transfer.TransferClass;
import io.catchment.objectstore.transfer.TransferListener;
import io.catchment.objectstore.transfer.TransferScheduler;
import io.catchment.objectstore.transfer.TransferSettings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReaderFaultsTest {
    private static final int MIB = 1 << 20;
    private static final int PAYLOAD_BYTES = 32 << 10;
    private static final int PAYLOADS = 400;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final ScriptedStore store = new ScriptedStore();
    private final String key = ObjectKeys.key(5);
    private byte[] content = new byte[0];
    private Location location = new Location(0, 0, 0, 0, 1, 0, 1);

    /** One range of 12.5 MiB: payload i holds offset i. */
    @BeforeEach
    void build() {
        content = new byte[PAYLOADS * PAYLOAD_BYTES];
        new Random(11).nextBytes(content);
        try (BundleWriter writer = new BundleWriter(ByteBufAllocator.DEFAULT)) {
            writer.stream(3);
            for (int i = 0; i < PAYLOADS; i++) {
                ByteBuf payload = ByteBufAllocator.DEFAULT.directBuffer(PAYLOAD_BYTES);
                writer.payload(i, i + 1, i, i, payload.writeBytes(content, i * PAYLOAD_BYTES, PAYLOAD_BYTES));
            }
            Built built = writer.build();
            BuiltRange range = built.ranges().get(0);
            int bytes = built.body().readableBytes();
            location = new Location(5, bytes, 3, 0, PAYLOADS, range.position(), range.length());
            done(store.put(key, built.body()));
        }
        store.requests.set(0);
        store.underWayMax.set(0);
    }

    @AfterEach
    void stop() {
        timer.shutdownNow();
    }

    /** What loaded a block may let go of it a moment after its reader has it. */
    private static void allFreed(CachedObjectReader reader) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (reader.stats().liveBytes() != 0 && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(reader.stats().liveBytes()).isZero();
    }

    @Test
    void aBadBlockIsReadAgainAndServedWhenItIsRight() {
        CachedObjectReader reader = reader(settings(64, 32, 0));
        warmFooter(reader);
        store.next(flipped(MIB / 2));
        check(done(reader.read(location, 100, PAYLOAD_BYTES)), 100);
        assertThat(reader.stats().corruptBlocks()).isOne();
        reader.close();
        allFreed(reader);
    }

    @Test
    void aBlockThatStaysBadIsReportedNeverServedNeverCached() {
        CachedObjectReader reader = reader(settings(64, 32, 0));
        warmFooter(reader);
        int before = store.requests.get();
        store.corrupt(key, 3 * MIB + 77);
        for (int i = 1; i <= 2; i++) {
            fails(Reason.CORRUPT, reader.read(location, 100, PAYLOAD_BYTES));
            assertThat(store.requests.get() - before)
                    .as("three readings each time")
                    .isEqualTo(3 * i);
        }
        assertThat(reader.stats().liveBytes()).as("nothing of it is kept").isZero();
        check(done(reader.read(location, 10, PAYLOAD_BYTES)), 10);
        store.corrupt(key, 3 * MIB + 77);
        check(done(reader.read(location, 100, PAYLOAD_BYTES)), 100);
        reader.close();
    }

    @Test
    void oneBadBlockOfSeveralDoesNotSpoilTheOthers() {
        CachedObjectReader reader = reader(settings(64, 32, 0));
        warmFooter(reader);
        store.next(flipped(2 * MIB + 5));
        check(done(reader.read(location, 0, 6 * MIB)), 0);
        assertThat(reader.stats().corruptBlocks()).isOne();
        assertThat(reader.stats().loadedBytes()).isEqualTo(7L * MIB);
        reader.close();
        allFreed(reader);
    }

    @Test
    void aTruncatedObjectIsCorrupt() {
        byte[] whole = new byte[store.size(key)];
        ByteBuf bytes = done(store.get(key, 0, whole.length));
        bytes.readBytes(whole);
        bytes.release();
        done(store.put(key, ByteBufAllocator.DEFAULT.directBuffer().writeBytes(whole, 0, whole.length - 1000)));
        CachedObjectReader reader = reader(settings(64, 32, 0));
        fails(Reason.CORRUPT, reader.read(location, 0, MIB));
        reader.close();
    }

    @Test
    void aBadFooterIsReadAgainThenReported() {
        CachedObjectReader reader = reader(settings(64, 32, 0));
        store.next(garbledEnd(30));
        check(done(reader.read(location, 0, MIB)), 0);
        reader.close();

        store.corrupt(key, store.size(key) - 30);
        CachedObjectReader again = reader(settings(64, 32, 0));
        store.requests.set(0);
        fails(Reason.CORRUPT, again.read(location, 0, MIB));
        assertThat(store.requests).hasValue(3);
        store.corrupt(key, store.size(key) - 30);
        check(done(again.read(location, 0, MIB)), 0);
        again.close();
    }

    @Test
    void aRangeThatTheFooterDoesNotHaveIsCorrupt() {
        CachedObjectReader reader = reader(settings(64, 32, 0));
        Location wrong =
                new Location(5, location.objectBytes(), 4, 0, PAYLOADS, location.position(), location.length());
        fails(Reason.CORRUPT, reader.read(wrong, 0, MIB));
        fails(Reason.CORRUPT, reader.bytes(5, location.objectBytes(), location.objectBytes() - 10, 5));
        reader.close();
    }

    @Test
    void aFailureOfTheStoreIsPassedOnAndTheNextReadTriesAnew() {
        CachedObjectReader reader = reader(settings(64, 32, 0));
        store.next(new Fail(new ObjectStoreException(Reason.TRANSIENT, "503", null)));
        fails(Reason.TRANSIENT, reader.read(location, 0, MIB));
        warmFooter(reader);
        store.next(new Fail(new ObjectStoreException(Reason.TRANSIENT, "503", null)));
        fails(Reason.TRANSIENT, reader.read(location, 100, PAYLOAD_BYTES));
        check(done(reader.read(location, 100, PAYLOAD_BYTES)), 100);
        reader.close();
        allFreed(reader);
    }

    @Test
    void manyReadersOfOneBlockShareOneRequest() {
        CachedObjectReader reader = reader(settings(64, 32, 0));
        warmFooter(reader);
        int before = store.requests.get();
        store.always(new Late());
        List<CompletionStage<RangeRead>> reads = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            reads.add(reader.read(location, 100, PAYLOAD_BYTES));
        }
        assertThat(store.requests.get() - before).isOne();
        store.always(null);
        store.releaseHung();
        reads.forEach(read -> check(done(read), 100));
        reader.close();
        allFreed(reader);
    }

    @Test
    void anEvictedBlockStaysValidForWhoeverHoldsIt() {
        CachedObjectReader reader = reader(settings(2, 64, 0));
        List<RangeRead> held = new ArrayList<>();
        for (int i = 0; i < PAYLOADS; i += 32) {
            held.add(done(reader.read(location, i, PAYLOAD_BYTES)));
        }
        assertThat(reader.stats().evictions()).isPositive();
        assertThat(reader.stats().liveBytes()).isGreaterThan(8L * MIB);
        for (int i = 0; i < held.size(); i++) {
            check(held.get(i), i * 32);
        }
        assertThat(reader.stats().liveBytes()).isLessThanOrEqualTo(2L * MIB);
        reader.close();
        allFreed(reader);
    }

    @Test
    void memoryIsBoundedAndAReleaseLetsTheNextLoadGo() {
        CachedObjectReader reader = reader(settings(1, 2, 0));
        warmFooter(reader);
        List<RangeRead> held = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            held.add(done(reader.read(location, i * 32 + 5, 1)));
        }
        CompletionStage<RangeRead> waits = reader.read(location, 5 * 32 + 5, 1);
        assertThat(waits.toCompletableFuture()).isNotDone();
        assertThat(reader.stats().queuedLoads()).isOne();
        assertThat(reader.stats().liveBytes()).isEqualTo(3L * MIB);
        // One of them may be in the cache, and stays there: a second release is sure to free one.
        check(held.get(0), 37);
        check(held.get(1), 69);
        check(done(waits), 165);
        check(held.get(2), 101);
        reader.close();
        allFreed(reader);
    }

    @Test
    void aLoadThatFindsNoRoomInTimeFails() {
        ReaderSettings tight = new ReaderSettings(MIB, MIB, MIB, 4, 4, 50, 0, MIB);
        CachedObjectReader reader = reader(tight);
        warmFooter(reader);
        RangeRead first = done(reader.read(location, 37, 1));
        RangeRead second = done(reader.read(location, 69, 1));
        fails(Reason.TRANSIENT, reader.read(location, 165, 1));
        List<CompletionStage<RangeRead>> tooMany = new ArrayList<>();
        for (int i = 3; i < 9; i++) {
            tooMany.add(reader.read(location, i * 32 + 5, 1));
        }
        assertThat(tooMany.stream().filter(read -> read.toCompletableFuture().isCompletedExceptionally()))
                .as("beyond the queue's bound")
                .hasSizeGreaterThanOrEqualTo(2);
        tooMany.forEach(read -> fails(Reason.TRANSIENT, read));
        check(first, 37);
        check(second, 69);
        check(done(reader.read(location, 165, 1)), 165);
        reader.close();
        allFreed(reader);
    }

    @Test
    void aSequentialReaderIsReadAheadAndARandomOneIsNot() {
        CachedObjectReader reader = reader(settings(64, 64, 8));
        long offset = 0;
        int reads = 0;
        while (offset < PAYLOADS) {
            RangeRead read = done(reader.read(location, offset, 4 * PAYLOAD_BYTES));
            int payloads = read.payload().readableBytes() / PAYLOAD_BYTES;
            check(read, (int) (offset / 2 * 2));
            offset = offset / 2 * 2 + payloads;
            reads++;
        }
        assertThat(reads).isGreaterThan(90);
        assertThat(reader.stats().readAheadBytes()).isGreaterThan(9L * MIB);
        assertThat(reader.stats().loadedBytes()).as("nothing twice").isLessThanOrEqualTo(13L * MIB);
        assertThat(store.requests.get()).as("few large requests").isLessThan(10);
        reader.close();

        CachedObjectReader jumping = reader(settings(64, 64, 8));
        for (int block : new int[] {9, 2, 7, 0, 5, 11, 3}) {
            check(done(jumping.read(location, block * 32 + 6, PAYLOAD_BYTES)), block * 32 + 6);
        }
        assertThat(jumping.stats().readAheadBytes()).isZero();
        jumping.close();
    }

    @Test
    void aReadAfterTheCloseIsRefusedAndLateBlocksAreLetGo() {
        CachedObjectReader reader = reader(settings(64, 64, 0));
        warmFooter(reader);
        store.next(new Late());
        CompletionStage<RangeRead> under = reader.read(location, 100, 1);
        reader.close();
        store.releaseHung();
        under.toCompletableFuture()
                .handle((read, failure) -> read != null && read.payload().release())
                .join();
        allFreed(reader);
        fails(Reason.REFUSED, reader.read(location, 100, 1));
    }

    @Test
    void readersThatCatchUpLeaveRoomForThoseAtTheTailWhoseLoadsGoFirst() {
        List<ReadClass> asked = new ArrayList<>();
        Function<ReadClass, ObjectStore> stores = as -> {
            asked.add(as);
            return store;
        };
        // Four loads at a time, of which those who catch up have three.
        CachedObjectReader reader = new CachedObjectReader(
                stores,
                new ReaderSettings(0, 100L * MIB, MIB, 4, 64, 20_000, 0, MIB),
                ByteBufAllocator.DEFAULT,
                timer,
                CatchUpRoom.ALL);
        warmFooter(reader);
        asked.clear();
        store.always(new Late());
        List<CompletionStage<RangeRead>> reads = new ArrayList<>();
        for (int block = 0; block < 5; block++) {
            reads.add(reader.read(location, 32 * block + 1, 1, ReadClass.CATCH_UP));
        }
        assertThat(asked).containsExactly(ReadClass.CATCH_UP, ReadClass.CATCH_UP, ReadClass.CATCH_UP);
        for (int block = 6; block < 8; block++) {
            reads.add(reader.read(location, 32 * block + 1, 1, ReadClass.TAIL));
        }
        assertThat(asked).endsWith(ReadClass.TAIL).hasSize(4);
        store.always(null);
        store.releaseHung();
        assertThat(asked.get(4)).as("before those that came earlier").isEqualTo(ReadClass.TAIL);
        reads.forEach(read -> done(read).payload().release());
        reader.close();
    }

    @Test
    void aLoadOfThoseWhoCatchUpGoesOnAsOneOfTheTailWhenSomebodyThereComesToWaitForIt() {
        List<ReadClass> asked = new ArrayList<>();
        CachedObjectReader reader = new CachedObjectReader(
                as -> {
                    asked.add(as);
                    return store;
                },
                new ReaderSettings(0, 100L * MIB, MIB, 4, 64, 20_000, 0, MIB),
                ByteBufAllocator.DEFAULT,
                timer,
                CatchUpRoom.ALL);
        warmFooter(reader);
        asked.clear();
        store.always(new Late());
        List<CompletionStage<RangeRead>> reads = new ArrayList<>();
        for (int block = 0; block < 5; block++) {
            reads.add(reader.read(location, 32 * block + 1, 1, ReadClass.CATCH_UP));
        }
        assertThat(asked).as("two wait").hasSize(3);
        reads.add(reader.read(location, 32 * 4 + 1, 1, ReadClass.TAIL));
        assertThat(asked).containsExactly(ReadClass.CATCH_UP, ReadClass.CATCH_UP, ReadClass.CATCH_UP, ReadClass.TAIL);
        store.always(null);
        store.releaseHung();
        reads.forEach(read -> done(read).payload().release());
        assertThat(asked).as("one request for both").hasSize(5);
        reader.close();
        allFreed(reader);
    }

    @Test
    void whatWaitsAmongTheTransfersOfThoseWhoCatchUpIsHastenedToo() {
        ObjectTransfers transfers = transfers();
        CachedObjectReader reader = reader(transfers);
        warmFooter(reader);
        store.always(new Late());
        List<CompletionStage<RangeRead>> reads = new ArrayList<>();
        for (int block = 0; block < 5; block++) {
            reads.add(reader.read(location, 32 * block + 1, 1, ReadClass.CATCH_UP));
        }
        assertThat(store.hungCount()).as("two wait").isEqualTo(3);
        reads.add(reader.read(location, 32 * 4 + 1, 1, ReadClass.TAIL));
        assertThat(store.hungCount()).isEqualTo(4);
        assertThat(transfers.scheduler().running(TransferClass.TAIL_READ, Direction.DOWN))
                .isOne();
        store.always(null);
        store.releaseHung();
        reads.forEach(read -> done(read).payload().release());
        assertThat(transfers.scheduler().running(TransferClass.TAIL_READ, Direction.DOWN))
                .isZero();
        reader.close();
        allFreed(reader);
    }

    @Test
    void aFooterThatSomebodyAtTheTailComesToWaitForIsHastenedToo() {
        ObjectTransfers transfers = transfers();
        CachedObjectReader reader = reader(transfers);
        store.always(new Late());
        List<CompletionStage<ByteBuf>> others = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            others.add(transfers.of(TransferClass.CATCH_UP_READ).get(key, 0, 1));
        }
        CompletionStage<RangeRead> behind = reader.read(location, 1, 1, ReadClass.CATCH_UP);
        assertThat(store.hungCount()).isEqualTo(3);
        CompletionStage<RangeRead> atTheTail = reader.read(location, 1, 1, ReadClass.TAIL);
        assertThat(store.hungCount()).isEqualTo(4);
        store.always(null);
        store.releaseHung();
        others.forEach(read -> done(read).release());
        done(behind).payload().release();
        done(atTheTail).payload().release();
        reader.close();
        allFreed(reader);
    }

    /** Four at a time, of which those who catch up have three. */
    private ObjectTransfers transfers() {
        return new ObjectTransfers(
                store,
                new TransferScheduler(
                        new TransferSettings(4, 0, 0, 100),
                        System::nanoTime,
                        (nanos, task) -> {
                            ScheduledFuture<?> unused = timer.schedule(task, nanos, TimeUnit.NANOSECONDS);
                        },
                        TransferListener.NONE));
    }

    private CachedObjectReader reader(ObjectTransfers transfers) {
        return new CachedObjectReader(
                as -> transfers.of(as == ReadClass.TAIL ? TransferClass.TAIL_READ : TransferClass.CATCH_UP_READ),
                new ReaderSettings(0, 100L * MIB, MIB, 16, 64, 20_000, 0, MIB),
                ByteBufAllocator.DEFAULT,
                timer,
                CatchUpRoom.ALL);
    }

    @Test
    void whenTheMachineIsShortThoseWhoCatchUpLoadLessAtATimeAndTheOthersAsBefore() {
        AtomicInteger room = new AtomicInteger(1);
        List<ReadClass> asked = new ArrayList<>();
        CachedObjectReader reader = new CachedObjectReader(
                as -> {
                    asked.add(as);
                    return store;
                },
                new ReaderSettings(0, 100L * MIB, MIB, 4, 64, 20_000, 8, MIB),
                ByteBufAllocator.DEFAULT,
                timer,
                max -> Math.min(max, room.get()));
        warmFooter(reader);
        asked.clear();
        store.always(new Late());
        List<CompletionStage<RangeRead>> reads = new ArrayList<>();
        for (int block = 0; block < 4; block++) {
            reads.add(reader.read(location, 32 * block + 1, 1, ReadClass.CATCH_UP));
        }
        assertThat(asked).containsExactly(ReadClass.CATCH_UP);
        reads.add(reader.read(location, 32 * 6 + 1, 1, ReadClass.TAIL));
        assertThat(asked).containsExactly(ReadClass.CATCH_UP, ReadClass.TAIL);
        room.set(2);
        store.always(null);
        store.releaseHung();
        reads.forEach(read -> done(read).payload().release());
        assertThat(asked).as("the rest comes when there is room").hasSize(5);
        reader.close();
    }

    /** Replay: mvn -pl object-store test -Dtest=ReaderFaultsTest#manyThreads* -Dseed=SEED. */
    @Test
    void manyThreadsReadTheRightBytesWhileBlocksComeAndGo() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("replay with -Dtest=ReaderFaultsTest -Dseed=" + seed);
        CachedObjectReader reader = reader(new ReaderSettings(3 * MIB, 6 * MIB, MIB, 3, 64, 20_000, 4, 4 * MIB));
        AtomicReference<Throwable> failed = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 6; t++) {
            Random random = new Random(seed + t);
            Thread thread = new Thread(() -> {
                try {
                    for (int i = 0; i < 150; i++) {
                        int offset = random.nextInt(PAYLOADS);
                        check(done(reader.read(location, offset, 1 + random.nextInt(MIB))), offset);
                    }
                } catch (Throwable e) {
                    failed.compareAndSet(null, e);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join(60_000);
        }
        assertThat(failed.get()).as("seed " + seed).isNull();
        assertThat(reader.stats().liveBytes()).isLessThanOrEqualTo(9L * MIB);
        reader.close();
        assertThat(reader.stats().liveBytes()).as("seed " + seed).isZero();
    }

    // ---- steps

    private CachedObjectReader reader(ReaderSettings settings) {
        return new CachedObjectReader(store, settings, ByteBufAllocator.DEFAULT, timer);
    }

    private static ReaderSettings settings(int cacheMib, int extraMib, int aheadBlocks) {
        return new ReaderSettings(
                (long) cacheMib * MIB, (long) extraMib * MIB, MIB, 16, 256, 20_000, aheadBlocks, 16 * MIB);
    }

    /** Reads nothing but the footer. */
    private void warmFooter(CachedObjectReader reader) {
        done(reader.offsetForTime(location, 0));
    }

    /** The answer begins at the index entry at or before the offset: every second payload has one. */
    private void check(RangeRead read, int offset) {
        byte[] got = ByteBufUtil.getBytes(read.payload());
        read.payload().release();
        int at = offset / 2 * 2 * PAYLOAD_BYTES;
        assertThat(got.length).isGreaterThanOrEqualTo((offset % 2 + 1) * PAYLOAD_BYTES);
        assertThat(java.util.Arrays.mismatch(got, 0, got.length, content, at, at + got.length))
                .as("first wrong byte of the answer for offset %d", offset)
                .isEqualTo(-1);
        assertThat(read.reachesEnd()).isEqualTo(at + got.length == content.length);
    }

    private static Garble flipped(int at) {
        return new Garble(bytes -> bytes.setByte(at, bytes.getByte(at) ^ 1));
    }

    private static Garble garbledEnd(int fromEnd) {
        return new Garble(bytes -> {
            int at = bytes.writerIndex() - fromEnd;
            return bytes.setByte(at, bytes.getByte(at) ^ 1);
        });
    }

    private static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(30, TimeUnit.SECONDS).join();
    }

    private static void fails(Reason reason, CompletionStage<?> stage) {
        assertThatThrownBy(() -> done(stage))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        ObjectStoreException.class,
                        e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
    }
}
