package io.catchment.objectstore.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.objectstore.ObjectReader.RangeRead;
import io.catchment.objectstore.testing.MemoryStore;
import io.catchment.objectstore.testing.RandomBundle;
import io.catchment.objectstore.testing.RandomBundle.Payload;
import io.catchment.objectstore.testing.RandomBundle.Range;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CachedObjectReaderTest {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final MemoryStore store = new MemoryStore();

    @AfterEach
    void stop() {
        timer.shutdownNow();
    }

    /** Replay: mvn -pl object-store test -Dtest=CachedObjectReaderTest -Dseed=SEED. */
    @Test
    void whateverWasBuiltIsReadBackFromEachOffset() {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("replay with -Dtest=CachedObjectReaderTest -Dseed=" + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 10; round++) {
            RandomBundle bundle = new RandomBundle(
                    store,
                    round,
                    random,
                    1 + random.nextInt(12),
                    random.nextInt(8) == 0 ? 12 << 20 : 1 << random.nextInt(22));
            CachedObjectReader reader = reader(ReaderSettings.ofCacheBytes(1L << (20 + random.nextInt(5))));
            for (Range range : bundle.ranges) {
                readsBackFromEachOffset(reader, range, random);
                findsOffsetsByTime(reader, range, random);
            }
            readsCheckpoints(reader, bundle);
            assertThat(reader.stats().corruptBlocks()).isZero();
            reader.close();
            assertThat(reader.stats().liveBytes()).as("seed " + seed).isZero();
        }
    }

    private static void readsBackFromEachOffset(CachedObjectReader reader, Range range, Random random) {
        for (int i = 0; i < 20; i++) {
            Payload from = range.payloads().get(random.nextInt(range.payloads().size()));
            long offset = from.baseOffset() + random.nextInt((int) (from.endOffset() - from.baseOffset()));
            int bytesMax = 1 + random.nextInt(2 << 20);
            RangeRead read = done(reader.read(range.location(), offset, bytesMax));
            int length = read.payload().readableBytes();
            byte[] bytes = ByteBufUtil.getBytes(read.payload());
            read.payload().release();
            int at = find(range, bytes, from);
            assertThat(Unpooled.wrappedBuffer(bytes)).isEqualTo(Unpooled.wrappedBuffer(range.bytes(), at, length));
            assertThat(at + length)
                    .as("the payload asked for is whole in it")
                    .isGreaterThanOrEqualTo(from.at() + from.length());
            assertThat(read.reachesEnd()).isEqualTo(at + length == range.bytes().length);
            assertThat(from.at() - at)
                    .as("begins at most an index step earlier")
                    .isLessThan(64 << 10);
        }
    }

    /** Where the bytes begin in their range: at the start of a payload at or before the one asked for. */
    private static int find(Range range, byte[] bytes, Payload from) {
        for (int i = range.payloads().indexOf(from); i >= 0; i--) {
            int at = range.payloads().get(i).at();
            if (at + bytes.length <= range.bytes().length
                    && Arrays.mismatch(range.bytes(), at, at + bytes.length, bytes, 0, bytes.length) < 0) {
                return at;
            }
        }
        throw new AssertionError("the bytes begin at no payload at or before offset " + from.baseOffset());
    }

    private static void findsOffsetsByTime(CachedObjectReader reader, Range range, Random random) {
        for (int i = 0; i < 10; i++) {
            long timeMs = 999_990L + random.nextInt(100_020);
            long offset = done(reader.offsetForTime(range.location(), timeMs));
            long first = range.payloads().stream()
                    .filter(payload -> payload.eventTimeMs() >= timeMs)
                    .findFirst()
                    .map(Payload::baseOffset)
                    .orElse(range.location().endOffset());
            assertThat(offset).isLessThanOrEqualTo(first);
            Payload found = range.payloads().stream()
                    .filter(payload -> payload.baseOffset() == offset)
                    .findFirst()
                    .orElse(null);
            if (found == null) {
                assertThat(offset).isEqualTo(first).isEqualTo(range.location().endOffset());
            } else {
                Payload target = range.payloads().stream()
                        .filter(payload -> payload.baseOffset() == first)
                        .findFirst()
                        .orElseThrow();
                assertThat(target.at() - found.at()).isLessThan(400_000);
            }
        }
    }

    private static void readsCheckpoints(CachedObjectReader reader, RandomBundle bundle) {
        for (int i = 0; i < bundle.checkpoints.size(); i++) {
            var expected = bundle.checkpoints.get(i);
            var built = bundle.built.checkpoints().get(i);
            assertThat(built.streamId()).isEqualTo(expected.streamId());
            assertThat(built.offset()).isEqualTo(expected.offset());
            ByteBuf bytes = done(reader.bytes(bundle.objectId, bundle.objectBytes, built.position(), built.length()));
            assertThat(ByteBufUtil.getBytes(bytes)).isEqualTo(expected.bytes());
            bytes.release();
        }
    }

    private CachedObjectReader reader(ReaderSettings settings) {
        return new CachedObjectReader(store, settings, ByteBufAllocator.DEFAULT, timer);
    }

    static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
    }
}
