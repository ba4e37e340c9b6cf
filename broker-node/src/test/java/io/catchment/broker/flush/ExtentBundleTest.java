package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.TestBatches;
import io.catchment.broker.testing.TestProcess;
import io.catchment.objectstore.BundleBuilder.Built;
import io.catchment.objectstore.BundleBuilder.BuiltCheckpoint;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import io.catchment.objectstore.bundle.BundleWriter;
import io.catchment.wal.FrameKind;
import io.catchment.wal.LoadedExtent;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;
import org.junit.jupiter.api.Test;

/** What a bundle holds of an extent. */
class ExtentBundleTest {
    private static final long EXTENT = 7;

    private final ManualLoop time = new ManualLoop();
    private final FlushWal wal = new FlushWal(new TestProcess(time));

    ExtentBundleTest() {
        wal.create(EXTENT);
    }

    private record Bundle(Built built, byte[] bytes) {
        byte[] at(BuiltRange range) {
            return Arrays.copyOfRange(bytes, (int) range.position(), (int) range.position() + range.length());
        }

        byte[] at(BuiltCheckpoint checkpoint) {
            return Arrays.copyOfRange(
                    bytes, (int) checkpoint.position(), (int) checkpoint.position() + checkpoint.length());
        }
    }

    private void data(long stream, long appendTimeMs, byte[]... batches) {
        byte[] payload = concat(batches);
        long base = TestBatches.baseOffset(batches[0]);
        long end = TestBatches.endOffset(batches[batches.length - 1]);
        wal.write(EXTENT, FrameKind.DATA, stream, base, (int) (end - base), appendTimeMs, payload);
    }

    private void checkpoint(long stream, long offset, byte... payload) {
        wal.write(EXTENT, FrameKind.CHECKPOINT, stream, offset, 0, 1, payload);
    }

    private static byte[] concat(byte[]... parts) {
        ByteBuf all = TestBatches.buffer(parts);
        try {
            return TestBatches.bytes(all);
        } finally {
            all.release();
        }
    }

    private Bundle build(Long... streams) {
        Map<Long, Long> fromStart = new HashMap<>();
        for (long stream : streams) {
            fromStart.put(stream, 0L);
        }
        return build(fromStart);
    }

    private Bundle build(Map<Long, Long> fromOffsets) {
        wal.settleNow(EXTENT);
        var loading = wal.load(EXTENT).toCompletableFuture();
        time.settle();
        LoadedExtent loaded = loading.join();
        ByteBuf source = loaded.bytes();
        Built built;
        byte[] bytes;
        try (loaded;
                BundleWriter writer = new BundleWriter(PooledByteBufAllocator.DEFAULT)) {
            built = ExtentBundle.build(loaded, fromOffsets, writer);
        } catch (RuntimeException failed) {
            assertThat(source.refCnt()).as("released after a failure").isZero();
            throw failed;
        }
        bytes = TestBatches.bytes(built.body());
        built.body().release();
        assertThat(source.refCnt()).as("the body held what it needed").isZero();
        return new Bundle(built, bytes);
    }

    @Test
    void eachStreamIsOneRangeInOffsetOrderWhereverItsFramesLay() {
        byte[] a0 = TestBatches.batch(0, 3, 10);
        byte[] b0 = TestBatches.batch(100, 2, 20_000);
        byte[] a1 = TestBatches.batch(3, 2, 20_000);
        byte[] b1 = TestBatches.batch(102, 1, 10);
        data(5, 1_000, a0);
        data(2, 1_001, b0);
        data(5, 1_007, a1);
        data(2, 1_002, b1);
        Bundle bundle = build(2L, 5L);

        assertThat(bundle.built.ranges()).hasSize(2);
        BuiltRange b = bundle.built.ranges().get(0);
        assertThat(b.streamId()).isEqualTo(2);
        assertThat(b.baseOffset()).isEqualTo(100);
        assertThat(b.endOffset()).isEqualTo(103);
        assertThat(bundle.at(b)).isEqualTo(concat(b0, b1));
        BuiltRange a = bundle.built.ranges().get(1);
        assertThat(a.streamId()).isEqualTo(5);
        assertThat(a.baseOffset()).isZero();
        assertThat(a.endOffset()).isEqualTo(5);
        assertThat(a.maxAppendTimeMs()).isEqualTo(1_007);
        assertThat(bundle.at(a)).isEqualTo(concat(a0, a1));
        assertThat(bundle.built.checkpoints()).isEmpty();
    }

    @Test
    void theNewestEventTimeIsFoundInAnyBatchOfAFrame() {
        data(
                1,
                50,
                TestBatches.batch(0, 0, Compression.NONE, 10, 5, 9_000, 7),
                TestBatches.batch(3, 0, Compression.gzip().build(), 10, 8_999, 1),
                TestBatches.batch(5, 0, Compression.NONE, 10, 3));
        assertThat(build(1L).built.ranges().get(0).maxEventTimeMs()).isEqualTo(9_000);
    }

    @Test
    void onlyTheNewestCheckpointOfAStreamIsCarried() {
        data(1, 1, TestBatches.batch(0, 3, 10));
        checkpoint(1, 3, (byte) 1, (byte) 1);
        data(1, 1, TestBatches.batch(3, 3, 10));
        checkpoint(1, 6, (byte) 2, (byte) 2, (byte) 2);
        data(1, 1, TestBatches.batch(6, 1, 10));
        Bundle bundle = build(1L);
        assertThat(bundle.built.ranges()).hasSize(1);
        assertThat(bundle.built.checkpoints()).hasSize(1);
        BuiltCheckpoint checkpoint = bundle.built.checkpoints().get(0);
        assertThat(checkpoint.offset()).isEqualTo(6);
        assertThat(bundle.at(checkpoint)).containsExactly(2, 2, 2);
    }

    /** An earlier, partial publish of this extent was the work of a process that is gone. */
    @Test
    void whatIsPublishedAlreadyIsLeftOut() {
        data(1, 1, TestBatches.batch(0, 3, 10));
        byte[] later = TestBatches.batch(3, 3, 10);
        data(1, 1, later);
        data(2, 1, TestBatches.batch(0, 3, 10));
        checkpoint(2, 3, (byte) 1);
        Bundle bundle = build(Map.of(1L, 3L, 2L, 3L));
        assertThat(bundle.built.ranges()).hasSize(1);
        assertThat(bundle.built.ranges().get(0).baseOffset()).isEqualTo(3);
        assertThat(bundle.at(bundle.built.ranges().get(0))).isEqualTo(later);
        assertThat(bundle.built.checkpoints()).hasSize(1);
    }

    /** The stream's data went with an earlier extent, its checkpoint came into this one. */
    @Test
    void aStreamMayHaveACheckpointOnly() {
        checkpoint(9, 42, (byte) 3);
        Bundle bundle = build(9L);
        assertThat(bundle.built.ranges()).isEmpty();
        assertThat(bundle.built.checkpoints()).hasSize(1);
        assertThat(bundle.built.checkpoints().get(0).streamId()).isEqualTo(9);
        assertThat(bundle.at(bundle.built.checkpoints().get(0))).containsExactly(3);
    }

    @Test
    void streamsThatAreNotWantedLeaveNoByte() {
        for (long stream = 1; stream <= 4; stream++) {
            data(stream, 1, TestBatches.batch(0, 3, 1_000));
            checkpoint(stream, 3, (byte) stream);
        }
        Bundle some = build(2L, 4L);
        assertThat(some.built.ranges()).extracting(BuiltRange::streamId).containsExactly(2L, 4L);
        assertThat(some.built.checkpoints())
                .extracting(BuiltCheckpoint::streamId)
                .containsExactly(2L, 4L);
        assertThat(some.bytes.length).isLessThan(8_000);
    }

    @Test
    void theSameExtentAndStreamsGiveTheSameBytes() {
        for (long stream = 1; stream <= 4; stream++) {
            data(stream, 1, TestBatches.batch(0, 3, 1_000));
            checkpoint(stream, 3, (byte) stream);
        }
        assertThat(build(1L, 2L, 4L).bytes).isEqualTo(build(4L, 2L, 1L).bytes);
    }

    @Test
    void aFrameThatIsNoRowOfBatchesIsPublishedAsItIs() {
        data(1, 1, TestBatches.batch(0, 3, 30_000));
        byte[] torn = TestBatches.batch(3, 3, 100);
        wal.write(EXTENT, FrameKind.DATA, 1, 3, 3, 77, Arrays.copyOf(torn, torn.length - 1));
        wal.write(EXTENT, FrameKind.DATA, 2, 0, 1, 88, new byte[5]);
        Bundle bundle = build(1L, 2L);
        assertThat(bundle.built().ranges())
                .extracting(range -> range.streamId() + ": " + range.baseOffset() + "-" + range.endOffset() + " at "
                        + range.maxEventTimeMs())
                .containsExactly("1: 0-6 at 77", "2: 0-1 at 88");
    }
}
