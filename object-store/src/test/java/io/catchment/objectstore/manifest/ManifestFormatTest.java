package io.catchment.objectstore.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.Manifest.Entry;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ManifestFormatTest {
    private static final List<Entry> ENTRIES = List.of(
            new Entry(100, 103, 5, 1_000, 16, 40, 3_000, 9_000),
            new Entry(103, 1_000_000, 0x123456789abL, 64 << 20, 16, 67_000_000, -1, 9_002),
            new Entry(1_000_000, 1_000_001, 7, 200, 30, 1, 8_000, 9_004));

    /** What version 1 looks like for ever: this file is never written anew. It was made from the README, by another program. */
    @Test
    void theGoldenFileIsWhatTheCodecMakes() throws IOException {
        assertThat(HexFormat.of().formatHex(write(new Manifest(42, ENTRIES))))
                .isEqualTo(HexFormat.of().formatHex(golden()));
    }

    @Test
    void theGoldenFileIsUnderstood() throws IOException {
        Manifest manifest = read(golden());
        assertThat(manifest.streamId()).isEqualTo(42);
        assertThat(manifest.entriesFrom(0)).isEqualTo(ENTRIES);
        assertThat(manifest.indexOf(99)).isNegative();
        assertThat(manifest.indexOf(100)).isZero();
        assertThat(manifest.indexOf(103)).isOne();
        assertThat(manifest.indexOf(999_999)).isOne();
        assertThat(manifest.indexOf(1_000_000)).isEqualTo(2);
        assertThat(manifest.indexOf(1_000_001)).isNegative();
    }

    @Test
    void everyFlippedBitIsNoticed() throws IOException {
        byte[] file = golden();
        for (int bit = 0; bit < file.length * 8; bit++) {
            byte[] bad = file.clone();
            bad[bit / 8] ^= (byte) (1 << bit % 8);
            corrupt(bad);
        }
    }

    @Test
    void everyOtherLengthIsNoticed() throws IOException {
        byte[] file = golden();
        for (int length = 0; length < file.length; length++) {
            corrupt(Arrays.copyOf(file, length));
        }
        corrupt(Arrays.copyOf(file, file.length + 1));
        corrupt(Arrays.copyOf(file, file.length + 60));
    }

    @Test
    void asManyAsAreAllowedComeBack() {
        SplittableRandom random = new SplittableRandom(3);
        List<Entry> entries = new ArrayList<>();
        long base = 7;
        for (int i = 0; i < ManifestCodec.ENTRIES_MAX; i++) {
            long end = base + 1 + random.nextLong(1L << 30);
            entries.add(
                    new Entry(base, end, random.nextLong(1L << 50), 1L << 40, random.nextLong(1L << 30), 1 + i, i, -i));
            base = end;
        }
        assertThat(read(write(new Manifest(1, entries))).entriesFrom(0)).isEqualTo(entries);
        entries.add(new Entry(base, base + 1, 1, 10, 0, 1, 0, 0));
        assertThatThrownBy(() -> write(new Manifest(1, entries))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void rangesThatDoNotFollowEachOtherAreNoManifest() {
        assertThatThrownBy(() -> new Manifest(1, List.of(ENTRIES.get(0), ENTRIES.get(2))))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Manifest(1, List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    private static void corrupt(byte[] bytes) {
        assertThatThrownBy(() -> read(bytes))
                .isInstanceOfSatisfying(
                        ObjectStoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
    }

    private static byte[] write(Manifest manifest) {
        ByteBuf bytes = ManifestCodec.write(ByteBufAllocator.DEFAULT, manifest);
        try {
            return ByteBufUtil.getBytes(bytes);
        } finally {
            bytes.release();
        }
    }

    private static Manifest read(byte[] bytes) {
        return ManifestCodec.read(Unpooled.wrappedBuffer(bytes));
    }

    private static byte[] golden() throws IOException {
        try (InputStream in = ManifestFormatTest.class.getResourceAsStream("/golden/manifest-v1.bin")) {
            return in.readAllBytes();
        }
    }
}
