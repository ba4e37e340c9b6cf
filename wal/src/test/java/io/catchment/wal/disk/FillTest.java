package io.catchment.wal.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.nio.file.ExtendedOpenOption;
import io.catchment.wal.testing.Mounts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files full of zeros, past the page cache and through it. */
final class FillTest {
    private static final int BLOCK = 4096;

    @TempDir
    Path dir;

    private static void filled(Path folder, int... pieces) throws IOException {
        int total = 0;
        try (FileDisk disk = FileDisk.open(folder)) {
            try (ZeroFill fill = disk.fill("new")) {
                for (int piece : pieces) {
                    fill.append(piece);
                    total += piece;
                }
                fill.sync();
            }
            try (DiskFile file = disk.open("new")) {
                ByteBuffer bytes = ByteBuffer.allocate(total + 1);
                assertThat(file.read(0, bytes)).isEqualTo(total);
                assertThat(bytes.array()).containsOnly(0);
                file.write(100, ByteBuffer.wrap(new byte[] {1, 2, 3}));
                file.sync();
                file.read(99, bytes.clear().limit(5));
                assertThat(bytes.array()).startsWith(0, 1, 2, 3, 0);
            }
        }
    }

    @Test
    void wholeBlocks() throws Exception {
        filled(dir, BLOCK, 1 << 20, 3 * BLOCK);
    }

    @Test
    void whatIsNoWholeBlockGoesThroughThePageCacheAndSoDoesTheRest() throws Exception {
        filled(dir, BLOCK, 1000, 1 << 20, BLOCK);
    }

    @Test
    void aFileSystemThatRefusesIsFilledThroughThePageCache() throws Exception {
        Path mount = Files.createDirectory(dir.resolve("refuses"));
        assumeTrue(Mounts.mount("ramfs", mount), "needs root");
        try {
            assertThatThrownBy(() -> Files.newByteChannel(
                            mount.resolve("any"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE,
                            ExtendedOpenOption.DIRECT))
                    .isInstanceOf(IOException.class);
            filled(mount, BLOCK, 1 << 20, 3 * BLOCK);
        } finally {
            assertThat(Mounts.unmount(mount)).isTrue();
        }
    }

    @Test
    void aFileOfMemoryIsFilledToo() throws Exception {
        Path mount = Files.createDirectory(dir.resolve("memory"));
        assumeTrue(Mounts.mount("tmpfs", mount), "needs root");
        try {
            filled(mount, BLOCK, 1 << 20, 3 * BLOCK);
        } finally {
            assertThat(Mounts.unmount(mount)).isTrue();
        }
    }

    @Test
    void aFullDiskSaysSo() throws Exception {
        Path mount = Files.createDirectory(dir.resolve("small"));
        assumeTrue(Mounts.mount("tmpfs", mount, "-o", "size=65536"), "needs root");
        try (FileDisk disk = FileDisk.open(mount);
                ZeroFill fill = disk.fill("new")) {
            assertThatThrownBy(() -> fill.append(1 << 20)).hasMessageContaining("No space left");
        } finally {
            assertThat(Mounts.unmount(mount)).isTrue();
        }
    }

    @Test
    void aNameThatIsTakenIsLeftAlone() throws Exception {
        try (FileDisk disk = FileDisk.open(dir)) {
            Files.writeString(dir.resolve("old"), "something");
            assertThatThrownBy(() -> disk.fill("old")).isInstanceOf(FileAlreadyExistsException.class);
            assertThat(dir.resolve("old")).hasContent("something");
        }
    }
}
