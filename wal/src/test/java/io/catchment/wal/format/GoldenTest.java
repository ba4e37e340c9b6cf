package io.catchment.wal.format;

import static io.catchment.wal.testing.WalFixture.append;
import static io.catchment.wal.testing.WalFixture.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.Frame;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.testing.MemoryRegistry;
import io.catchment.wal.testing.RecordingListener;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is on disk must stay readable: the golden files hold the bytes of version 1, as lines of 16 with their positions,
 * lines of zeros left out.
 */
final class GoldenTest {
    private static final int NODE = 7;
    private static final String SEALED = "extent-0000000000000001-00001120.sealed";

    @TempDir
    Path dir;

    @Test
    void anExtentIsWrittenAsSpecified() throws Exception {
        RecordingListener listener = new RecordingListener();
        MemoryRegistry registry = new MemoryRegistry(NODE);
        try (LocalWal wal = LocalWal.open(
                WalConfig.defaults(dir).withExtentBytes(1 << 20).withReserveBytes(0), NODE, registry, listener)) {
            registry.register(wal.storeId());
            append(wal, Lane.NORMAL, frame(FrameKind.DATA, 0x1122_3344L, 10, 3, "first payload"));
            listener.await("acknowledged", 1);
            append(wal, Lane.NORMAL, frame(FrameKind.DATA, 5, 0, 1, "x".repeat(100)));
            listener.await("acknowledged", 2);
            append(wal, Lane.NORMAL, frame(FrameKind.CHECKPOINT, 0x1122_3344L, 13, 0, ""));
            listener.await("acknowledged", 3);
            get(wal.shutdown(10_000));
        }
        assertThat(dump(Files.readAllBytes(dir.resolve(SEALED)))).isEqualTo(golden());
    }

    @Test
    void anExtentOfThisVersionIsRead() throws Exception {
        Files.write(
                dir.resolve("store.id"),
                "catchment wal store 1\n5b8f2b3e-6c49-4a5c-9f47-2f3a4b0d9e11\n".getBytes(StandardCharsets.US_ASCII));
        Files.write(dir.resolve(SEALED), undump(golden()));
        try (LocalWal wal = LocalWal.open(
                WalConfig.defaults(dir).withReserveBytes(0), NODE, new MemoryRegistry(NODE), new RecordingListener())) {
            assertThat(wal.storeId()).isEqualTo("5b8f2b3e-6c49-4a5c-9f47-2f3a4b0d9e11");
            assertThat(wal.streams(1)).containsExactly(5, 0x1122_3344L);
            FrameEntry first = wal.index(1, 0x1122_3344L).get(0);
            assertThat(first.baseOffset()).isEqualTo(10);
            assertThat(first.recordCount()).isEqualTo(3);
            assertThat(first.epoch()).isEqualTo(9);
            assertThat(first.appendTimeMs()).isEqualTo(1_700_000_000_123L);
            assertThat(new String(first.head(), StandardCharsets.US_ASCII)).isEqualTo("first payload");
            assertThat(wal.index(1, 0x1122_3344L).get(1).kind()).isEqualTo(FrameKind.CHECKPOINT);
            assertThat(get(wal.payload(1, first)).toString(StandardCharsets.US_ASCII))
                    .isEqualTo("first payload");
        }
    }

    private static Frame frame(FrameKind kind, long stream, long offset, int records, String payload) {
        return new Frame(
                kind,
                stream,
                9,
                offset,
                records,
                1_700_000_000_123L,
                Unpooled.copiedBuffer(payload, StandardCharsets.US_ASCII));
    }

    private static String golden() throws IOException {
        try (InputStream golden = GoldenTest.class.getResourceAsStream("/golden/extent-v1.hex")) {
            return new String(Objects.requireNonNull(golden).readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    private static String dump(byte[] bytes) {
        List<String> lines = new ArrayList<>();
        HexFormat hex = HexFormat.ofDelimiter(" ");
        for (int at = 0; at < bytes.length; at += 16) {
            int end = Math.min(bytes.length, at + 16);
            String line = hex.formatHex(bytes, at, end);
            if (!line.replace(" ", "").replace("0", "").isEmpty()) {
                lines.add(String.format(Locale.ROOT, "%05x: %s", at, line));
            }
        }
        lines.add(String.format(Locale.ROOT, "%05x: end", bytes.length));
        return String.join("\n", lines) + "\n";
    }

    private static byte[] undump(String dump) {
        List<String> lines = dump.lines().toList();
        String end = lines.get(lines.size() - 1);
        byte[] bytes = new byte[Integer.parseInt(end.substring(0, 5), 16)];
        for (String line : lines.subList(0, lines.size() - 1)) {
            byte[] part = HexFormat.ofDelimiter(" ").parseHex(line.substring(7));
            System.arraycopy(part, 0, bytes, Integer.parseInt(line.substring(0, 5), 16), part.length);
        }
        return bytes;
    }
}
