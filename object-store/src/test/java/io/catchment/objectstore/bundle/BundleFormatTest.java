package io.catchment.objectstore.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.BundleBuilder.Built;
import io.catchment.objectstore.BundleBuilder.BuiltCheckpoint;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BundleFormatTest {
    /** What version 1 looks like for ever: this file is never written anew. */
    @Test
    void theGoldenFileIsWhatTheBuilderMakes() throws IOException {
        assertThat(HexFormat.of().formatHex(small())).isEqualTo(HexFormat.of().formatHex(golden()));
    }

    @Test
    void theGoldenFileIsUnderstood() throws IOException {
        byte[] file = golden();
        BundleFooter footer = footer(file);
        assertThat(footer.rangeCount()).isEqualTo(3);
        assertThat(footer.range(0)).isEqualTo(new BuiltRange(7, 100, 103, 16, 10, 3_000, 9_000));
        assertThat(footer.range(1)).isEqualTo(new BuiltRange(7, 200, 201, 26, 4, 500, 9_002));
        assertThat(footer.range(2)).isEqualTo(new BuiltRange(42, 0, 1_000_000, 30, 70_003, 8_000, 9_004));
        assertThat(footer.checkpoints())
                .containsExactly(new BuiltCheckpoint(7, 101, 70_033, 5), new BuiltCheckpoint(42, 1_000_000, 70_038, 3));
        assertThat(footer.bodyBytes()).isEqualTo(70_041);
        assertThat(footer.blockCount()).isOne();
        assertThat(new String(file, 16, 10, java.nio.charset.StandardCharsets.US_ASCII))
                .isEqualTo("alphabravo");
        int bulk = footer.find(42, 30);
        assertThat(footer.entryOffset(footer.entryForOffset(bulk, 999_999))).isEqualTo(500_000);
        assertThat(footer.entryPosition(footer.entryForOffset(bulk, 999_999))).isEqualTo(70_030);
        assertThat(footer.entryOffset(footer.entryForOffset(bulk, 499_999))).isZero();
        assertThat(footer.entryOffset(footer.entryForTime(bulk, 6_000))).isZero();
        assertThat(footer.entryOffset(footer.entryForTime(bulk, 6_001))).isEqualTo(500_000);
        assertThat(footer.entryForTime(bulk, 8_001)).isNegative();
        assertThat(footer.find(41, 30)).isNegative();
        assertThat(footer.find(42, 31)).isNegative();
    }

    @Test
    void aBundleForWhichThereIsNoMemoryReleasesWhatItTookOnce() {
        ByteBuf payload = Unpooled.directBuffer(20_000).writeZero(20_000);
        List<ByteBuf> checkpoints = new ArrayList<>();
        try (BundleWriter writer = new BundleWriter(new OneBuffer())) {
            writer.stream(1);
            writer.payload(0, 1, 0, 0, payload.retainedSlice());
            for (int i = 0; i < 40; i++) {
                ByteBuf checkpoint = Unpooled.directBuffer(10_000).writeZero(10_000);
                checkpoints.add(checkpoint);
                writer.checkpoint(i, checkpoint.retainedSlice());
            }
            assertThatThrownBy(writer::build).isInstanceOf(OutOfMemoryError.class);
        }
        assertThat(payload.refCnt()).isOne();
        assertThat(checkpoints).allMatch(checkpoint -> checkpoint.refCnt() == 1);
        payload.release();
        checkpoints.forEach(ByteBuf::release);
    }

    /** Has memory for a header and one chunk of gathered payloads, and no more. */
    private static final class OneBuffer extends AbstractByteBufAllocator {
        private int left = 2;

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }

        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
            return UnpooledByteBufAllocator.DEFAULT.heapBuffer(initialCapacity, maxCapacity);
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            if (left-- == 0) {
                throw new OutOfMemoryError("direct");
            }
            return UnpooledByteBufAllocator.DEFAULT.directBuffer(initialCapacity, maxCapacity);
        }
    }

    @Test
    void everyFlippedBitBehindTheBodyIsNoticed() throws IOException {
        byte[] file = golden();
        int body = (int) footer(file).bodyBytes();
        for (int at = body; at < file.length; at++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] bad = file.clone();
                bad[at] ^= (byte) (1 << bit);
                int position = at;
                assertThatThrownBy(() -> footer(bad))
                        .as("bit %d of byte %d behind the body", bit, position - body)
                        .isInstanceOfSatisfying(ObjectStoreException.class, e -> assertThat(e.reason())
                                .isEqualTo(Reason.CORRUPT));
            }
        }
    }

    @Test
    void everyFlippedByteOfTheBodyChangesItsBlocksChecksum() {
        Random random = new Random(3);
        byte[] file = large(random);
        BundleFooter footer = footer(file);
        assertThat(footer.blockCount()).isEqualTo(4);
        assertThat(blocksThatDiffer(file, footer)).isEmpty();
        for (int i = 0; i < 50; i++) {
            int at = random.nextInt((int) footer.bodyBytes());
            byte[] bad = file.clone();
            bad[at] ^= 1;
            assertThat(blocksThatDiffer(bad, footer)).containsExactly(at / BundleFormat.BLOCK_BYTES);
        }
    }

    @Test
    void aTruncatedObjectIsCorruptWhereverItEnds() throws IOException {
        byte[] file = golden();
        for (int length = 0; length < file.length; length += length > 70_000 ? 1 : 997) {
            byte[] cut = java.util.Arrays.copyOf(file, length);
            assertThatThrownBy(() -> footer(cut))
                    .as("cut to %d", length)
                    .isInstanceOfSatisfying(ObjectStoreException.class, e -> assertThat(e.reason())
                            .isEqualTo(Reason.CORRUPT));
        }
    }

    @Test
    void aVersionFromTheFutureIsRefused() throws IOException {
        byte[] file = golden();
        int footer = (int) footer(file).bodyBytes();
        file[footer + 5] = 2;
        reseal(file, footer);
        assertThatThrownBy(() -> footer(file)).hasMessageContaining("bundle version 2, this program reads 1");
    }

    @Test
    void aBuilderThatIsClosedReleasesWhatItHas() {
        ByteBuf large = ByteBufAllocator.DEFAULT.directBuffer().writeZero(100_000);
        ByteBuf small = ByteBufAllocator.DEFAULT.directBuffer().writeZero(100);
        ByteBuf checkpoint = ByteBufAllocator.DEFAULT.directBuffer().writeZero(100);
        try (BundleWriter writer = new BundleWriter(ByteBufAllocator.DEFAULT)) {
            writer.stream(1);
            writer.payload(0, 1, 1, 1, large);
            writer.payload(1, 2, 1, 1, small);
            writer.checkpoint(2, checkpoint);
            assertThat(large.refCnt()).isOne();
            assertThat(small.refCnt()).as("gathered").isZero();
            assertThat(writer.bytes()).isEqualTo(16 + 100_200);
        }
        assertThat(large.refCnt()).isZero();
        assertThat(checkpoint.refCnt()).isZero();
    }

    @Test
    void theBodyKeepsLargePayloadsByReference() {
        ByteBuf large = ByteBufAllocator.DEFAULT.directBuffer().writeZero(100_000);
        BundleWriter writer = new BundleWriter(ByteBufAllocator.DEFAULT);
        writer.stream(1);
        writer.payload(0, 1, 1, 1, large);
        Built built = writer.build();
        assertThat(large.refCnt()).isOne();
        large.setByte(50_000, 77);
        assertThat(built.body().getByte(16 + 50_000)).isEqualTo((byte) 77);
        built.body().release();
        assertThat(large.refCnt()).isZero();
        writer.close();
    }

    @Test
    void wrongUseIsRefusedAndReleasesThePayload() {
        try (BundleWriter writer = new BundleWriter(ByteBufAllocator.DEFAULT)) {
            refused(() -> writer.payload(0, 1, 1, 1, payload()), IllegalStateException.class);
            writer.stream(1);
            writer.payload(10, 20, 1, 1, payload());
            refused(() -> writer.payload(15, 25, 1, 1, payload()), IllegalArgumentException.class);
            refused(() -> writer.payload(20, 20, 1, 1, payload()), IllegalArgumentException.class);
            refused(() -> writer.payload(20, 21, 1, 1, Unpooled.buffer()), IllegalArgumentException.class);
            writer.stream(2);
            refused(() -> writer.stream(1), IllegalStateException.class);
            writer.build().body().release();
            refused(() -> writer.stream(3), IllegalStateException.class);
        }
    }

    @Test
    void anEmptyBundleIsABundle() {
        try (BundleWriter writer = new BundleWriter(ByteBufAllocator.DEFAULT)) {
            byte[] file = bytes(writer.build());
            assertThat(footer(file).rangeCount()).isZero();
        }
    }

    // ---- steps

    private static byte[] small() {
        try (BundleWriter writer = new BundleWriter(ByteBufAllocator.DEFAULT)) {
            writer.stream(7);
            writer.payload(100, 101, 3_000, 9_000, ascii("alpha"));
            writer.checkpoint(101, ascii("state"));
            writer.payload(101, 103, 2_000, 8_999, ascii("bravo"));
            writer.payload(200, 201, 500, 9_002, ascii("gaps"));
            writer.stream(42);
            ByteBuf bulk = ByteBufAllocator.DEFAULT.directBuffer(70_000);
            for (int i = 0; i < 70_000; i++) {
                bulk.writeByte(i * 31 + (i >> 8));
            }
            writer.payload(0, 500_000, 6_000, 9_003, bulk);
            writer.payload(500_000, 1_000_000, 8_000, 9_004, ascii("end"));
            writer.checkpoint(1_000_000, ascii("two"));
            Built built = writer.build();
            return bytes(built);
        }
    }

    private static byte[] large(Random random) {
        try (BundleWriter writer = new BundleWriter(ByteBufAllocator.DEFAULT)) {
            writer.stream(1);
            byte[] bytes = new byte[50_000];
            for (int i = 0; i < 70; i++) {
                random.nextBytes(bytes);
                writer.payload(i, i + 1, i, i, Unpooled.copiedBuffer(bytes));
            }
            return bytes(writer.build());
        }
    }

    private static byte[] bytes(Built built) {
        byte[] bytes = ByteBufUtil.getBytes(built.body());
        built.body().release();
        return bytes;
    }

    private static byte[] golden() throws IOException {
        try (InputStream in = BundleFormatTest.class.getResourceAsStream("/golden/bundle-v1.bin")) {
            assertThat(in).as("golden/bundle-v1.bin").isNotNull();
            return in.readAllBytes();
        }
    }

    private static BundleFooter footer(byte[] file) {
        ByteBuf whole = Unpooled.wrappedBuffer(file);
        int length = BundleFooter.footerAndTrailerBytes(whole, file.length);
        return BundleFooter.read(whole.slice(file.length - length, length), file.length);
    }

    private static java.util.List<Integer> blocksThatDiffer(byte[] file, BundleFooter footer) {
        java.util.List<Integer> different = new java.util.ArrayList<>();
        ByteBuf whole = Unpooled.wrappedBuffer(file);
        for (int block = 0; block < footer.blockCount(); block++) {
            int crc = BlockChecksums.of(whole, block * BundleFormat.BLOCK_BYTES, footer.blockBytes(block));
            if (crc != footer.blockCrc(block)) {
                different.add(block);
            }
        }
        return different;
    }

    /** Makes the checksums of a changed footer right again. */
    private static void reseal(byte[] file, int footer) {
        ByteBuf whole = Unpooled.wrappedBuffer(file);
        int trailer = file.length - BundleFormat.TRAILER_BYTES;
        whole.setInt(trailer + 4, BlockChecksums.of(whole, footer, trailer - footer));
        whole.setInt(trailer + 8, BlockChecksums.of(whole, trailer, 8));
    }

    private static void refused(Runnable use, Class<? extends RuntimeException> type) {
        assertThatThrownBy(use::run).isInstanceOf(type);
    }

    private static ByteBuf payload() {
        return ByteBufAllocator.DEFAULT.directBuffer().writeZero(10);
    }

    private static ByteBuf ascii(String text) {
        return Unpooled.copiedBuffer(text, java.nio.charset.StandardCharsets.US_ASCII);
    }
}
