package io.catchment.wal.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.Lane;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.disk.FileDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FilePoolTest {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path folder;

    private FileDisk disk;
    private FilePool pool;

    @BeforeEach
    void open() throws IOException {
        disk = FileDisk.open(folder);
        pool = new FilePool(disk, 8 * MIB, 2);
    }

    @AfterEach
    void close() throws IOException {
        disk.close();
    }

    private void fill(long bytes) throws IOException {
        FilePool.Filling file = pool.fill(bytes);
        while (!file.step()) {
            // one piece after the other
        }
    }

    private long size(String name) throws IOException {
        try (DiskFile file = disk.open(name)) {
            return file.sizeBytes();
        }
    }

    private void recycle(String name, long bytes) throws IOException {
        try (DiskFile file = disk.create(name)) {
            file.write(bytes - 1, ByteBuffer.allocate(1));
        }
        pool.recycle(name, bytes);
    }

    @Test
    void theSmallestFileThatIsLargeEnoughIsTaken() throws Exception {
        fill(4 * MIB);
        fill(MIB);
        assertThat(pool.has(2 * MIB)).isTrue();
        assertThat(size(pool.take(2 * MIB).orElseThrow())).isEqualTo(4 * MIB);
        assertThat(pool.has(2 * MIB)).isFalse();
        assertThat(size(pool.take(2 * MIB).orElseThrow()))
                .as("better than none")
                .isEqualTo(MIB);
        assertThat(pool.take(1)).isEmpty();
    }

    @Test
    void aLargerFileIsKeptInsteadOfASmallerOne() throws Exception {
        fill(MIB);
        fill(2 * MIB);
        recycle("used", 8 * MIB);
        assertThat(pool.count()).isEqualTo(2);
        assertThat(pool.bytes()).isEqualTo(10 * MIB);
        recycle("small", MIB);
        assertThat(pool.bytes()).isEqualTo(10 * MIB);
        assertThat(disk.list()).hasSize(2);
    }

    @Test
    void theNextRunFindsThemWithTheirSizes() throws Exception {
        fill(MIB);
        fill(3 * MIB);
        FilePool next = new FilePool(disk, 8 * MIB, 2);
        next.adopt(disk.list());
        assertThat(next.bytes()).isEqualTo(4 * MIB);
        assertThat(size(next.take(2 * MIB).orElseThrow())).isEqualTo(3 * MIB);
    }

    @Test
    void filesAreAsLargeAsTheLastExtentsSuggest() {
        ExpectedBytes expected = new ExpectedBytes(72 * MIB);
        assertThat(expected.of(Lane.NORMAL, 0)).as("of an unknown lane").isEqualTo(4 * MIB);
        expected.ended(Lane.NORMAL, 900_000);
        assertThat(expected.of(Lane.NORMAL, 0)).isEqualTo(2 * MIB);
        expected.ended(Lane.NORMAL, 10);
        assertThat(expected.of(Lane.NORMAL, 0)).isEqualTo(2 * MIB);
        assertThat(expected.of(Lane.NORMAL, 5 * MIB)).as("one grows now").isEqualTo(16 * MIB);
        expected.ended(Lane.NORMAL, 64 * MIB);
        assertThat(expected.of(Lane.NORMAL, 0)).isEqualTo(72 * MIB);
        assertThat(expected.of(Lane.URGENT, 0)).as("lanes are apart").isEqualTo(4 * MIB);
        for (int extent = 0; extent < 8; extent++) {
            expected.ended(Lane.NORMAL, 100);
        }
        assertThat(expected.of(Lane.NORMAL, 0)).as("the long one is long ago").isEqualTo(MIB);
        assertThat(List.of(expected.of(Lane.NORMAL, MIB), expected.of(Lane.NORMAL, MIB + 1)))
                .containsExactly(2 * MIB, 4 * MIB);
    }
}
