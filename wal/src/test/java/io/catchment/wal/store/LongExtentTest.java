package io.catchment.wal.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameRead;
import io.catchment.wal.Lane;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.disk.FileDisk;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.format.IndexRow;
import io.catchment.wal.testing.Frames;
import io.catchment.wal.testing.TestGroup;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An extent that outgrew its usual length by far: its index keeps little, and shows all. */
final class LongExtentTest {
    private static final StoreConfig CONFIG = new StoreConfig(64 << 10, 0, 0, 64 << 20);
    private static final ExtentHeader EXTENT = new ExtentHeader(5, 1, 1, Lane.NORMAL, 2);
    private static final long ID = EXTENT.extentId();
    private static final int FRAMES = 200_000;
    private static final int GROUP = 4_000;
    private static final int STREAMS = 10;
    private static final int PAYLOAD_BYTES = 20;
    private static final int PER_STREAM = FRAMES / STREAMS;

    @TempDir
    Path dir;

    private FileDisk disk;
    private ExtentStore store;
    private ExtentReader reader;
    private long length;

    @BeforeEach
    void write() throws IOException {
        open();
        store.create(EXTENT);
        length = ExtentHeader.BYTES;
        for (int n = 0; n < FRAMES; n += GROUP) {
            length = store.append(new TestGroup(ID, length, n, GROUP, PAYLOAD_BYTES, STREAMS))
                    .durableLength();
        }
        store.acknowledged(ID, length);
    }

    private void open() throws IOException {
        disk = FileDisk.open(dir);
        store = ExtentStore.open(disk, CONFIG, CRC32C::new, System::nanoTime, UUID::randomUUID);
        reader = new ExtentReader(store, UnpooledByteBufAllocator.DEFAULT);
    }

    @AfterEach
    void close() throws IOException {
        reader.close();
        store.close();
        disk.close();
    }

    private static long position(long stream, long offset) {
        return ExtentHeader.BYTES + (offset * STREAMS + stream - 1) * FrameFormat.frameBytes(PAYLOAD_BYTES);
    }

    private void everyFrameIsFound() throws IOException {
        assertThat(reader.streams(ID)).hasSize(STREAMS);
        for (long stream = 1; stream <= STREAMS; stream += 4) {
            List<FrameEntry> entries = reader.index(ID, stream);
            assertThat(entries).hasSize(PER_STREAM);
            for (int offset = 0; offset < PER_STREAM; offset += 997) {
                FrameEntry entry = entries.get(offset);
                assertThat(entry.baseOffset()).isEqualTo(offset);
                assertThat(entry.position()).isEqualTo(position(stream, offset));
                assertThat(entry.appendTimeMs()).isEqualTo(offset * STREAMS + stream - 1);
                assertThat(entry.head()).isEqualTo(Frames.bytes(stream, offset, PAYLOAD_BYTES));
                assertThat(reader.floor(ID, stream, offset).orElseThrow().baseOffset())
                        .isEqualTo(offset);
            }
        }
        FrameRead read = reader.read(ID, 3, 1_000, 100 * PAYLOAD_BYTES);
        assertThat(read.baseOffset()).isEqualTo(1_000);
        assertThat(read.endOffset()).isEqualTo(1_100);
        byte[] payload = ByteBufUtil.getBytes(read.payload());
        read.payload().release();
        assertThat(Arrays.copyOfRange(payload, 99 * PAYLOAD_BYTES, payload.length))
                .isEqualTo(Frames.bytes(3, 1_099, PAYLOAD_BYTES));
    }

    private void littleIsKept() {
        assertThat(store.indexBytes()).isLessThan(FRAMES * IndexRow.BYTES / 2L);
    }

    @Test
    void whileItIsOpen() throws IOException {
        littleIsKept();
        everyFrameIsFound();
    }

    @Test
    void afterItWasSealedAndAfterARestart() throws IOException {
        store.finish(ID, length);
        store.settle(ID, length);
        littleIsKept();
        everyFrameIsFound();
        try (LoadedExtent loaded = reader.load(ID)) {
            assertThat(loaded.streams()).hasSize(STREAMS);
            assertThat(loaded.frames(4)).hasSize(PER_STREAM);
            assertThat(loaded.frames(4).subList(0, 100))
                    .usingRecursiveComparison()
                    .isEqualTo(reader.index(ID, 4).subList(0, 100));
        }
        close();
        open();
        everyFrameIsFound();
        littleIsKept();
        assertThat(store.whole(ID, length)).isTrue();
    }

    @Test
    void afterItWasScannedAndFenced() throws IOException {
        close();
        open();
        assertThat(store.fence(EXTENT, 9)).isEqualTo(length);
        littleIsKept();
        store.settle(ID, length);
        everyFrameIsFound();
    }

    @Test
    void aRowIsNotMadeFromADamagedFrame() throws IOException {
        store.settle(ID, length);
        try (DiskFile file = disk.open(FileNames.sealed(ID, length))) {
            file.write(position(2, 50) + FrameFormat.HEADER_BYTES, ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6, 7}));
        }
        assertThatThrownBy(() -> reader.floor(ID, 2, 50)).isInstanceOf(CorruptExtentException.class);
        assertThat(store.unsettled()).containsExactly(ID);
        assertThat(reader.floor(ID, 2, PER_STREAM - 1)).isPresent();
    }
}
