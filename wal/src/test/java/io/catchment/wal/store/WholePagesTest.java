package io.catchment.wal.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.Lane;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.disk.FileDisk;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.testing.TestGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No group makes the page cache read a page that it is about to write a part of. */
final class WholePagesTest {
    private static final StoreConfig CONFIG = new StoreConfig(64 << 10, 1, 0, 1 << 20);
    private static final ExtentHeader EXTENT = new ExtentHeader(5, 1, 1, Lane.NORMAL, 2);
    private static final long ID = EXTENT.extentId();
    private static final int PAGE = 4096;
    private static final int FILE_PAGES = 16;

    @TempDir
    Path dir;

    private void recycledFile(FileDisk disk) throws IOException {
        byte[] old = new byte[FILE_PAGES * PAGE];
        Arrays.fill(old, (byte) 7);
        try (DiskFile file = disk.create(FileNames.FREE_PREFIX + "1")) {
            file.write(0, ByteBuffer.wrap(old));
        }
    }

    private static ExtentStore open(FileDisk disk) throws IOException {
        return ExtentStore.open(disk, CONFIG, CRC32C::new, System::nanoTime, UUID::randomUUID);
    }

    private byte[] bytes(FileDisk disk) throws IOException {
        ByteBuffer all = ByteBuffer.allocate(FILE_PAGES * PAGE);
        try (DiskFile file = disk.open(FileNames.open(ID))) {
            assertThat(file.sizeBytes()).isEqualTo(all.capacity());
            file.read(0, all);
        }
        return all.array();
    }

    @Test
    void aGroupIsWrittenToTheEndOfItsLastPageAndTheNextOneOverThat() throws Exception {
        try (FileDisk disk = FileDisk.open(dir)) {
            recycledFile(disk);
            ExtentStore store = open(disk);
            store.create(EXTENT);
            long end = ExtentHeader.BYTES;
            // 1 KiB each: within a page, across two pages, up to the end of one
            for (int frames : List.of(1, 4, 3, 8, 16)) {
                end = store.append(new TestGroup(ID, end, end, frames, 1024 - 56))
                        .durableLength();
                int pageEnd = (int) ((end + PAGE - 1) / PAGE * PAGE);
                byte[] bytes = bytes(disk);
                assertThat(Arrays.copyOfRange(bytes, (int) end, pageEnd)).isEqualTo(new byte[pageEnd - (int) end]);
                assertThat(Arrays.copyOfRange(bytes, pageEnd, bytes.length)).containsOnly(7);
            }
            assertThat(end).isEqualTo(PAGE + 32 * 1024);
            store.close();
            ExtentStore next = open(disk);
            assertThat(next.fence(EXTENT, 2)).as("all frames are there").isEqualTo(end);
            next.close();
        }
    }
}
