package io.catchment.wal.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.wal.Lane;
import io.catchment.wal.disk.FileDisk;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.replica.Replica.FencedByRecoveryException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a store refuses after a recovery, before and after a restart. */
final class FencesTest {
    private static final StoreConfig CONFIG = new StoreConfig(1 << 20, 2, 0, 1 << 20);

    @TempDir
    Path dir;

    private FileDisk disk;
    private ExtentStore store;

    @BeforeEach
    void open() throws IOException {
        disk = FileDisk.open(dir);
        store = ExtentStore.open(disk, CONFIG, CRC32C::new, System::nanoTime, UUID::randomUUID);
    }

    @AfterEach
    void close() throws IOException {
        store.close();
        disk.close();
    }

    private void restart() throws IOException {
        close();
        open();
    }

    private static ExtentHeader header(long extentId, int node, long epoch) {
        return new ExtentHeader(extentId, node, epoch, Lane.NORMAL, 2);
    }

    private void delete(long extentId) {
        store.delete(extentId, Runnable::run, failure -> assertThat(failure).isNull());
    }

    @Test
    void anExtentThatNeverCameHereIsFencedForItsWriterAlsoAfterARestart() throws IOException {
        assertThat(store.fence(header(5, 1, 10), 20)).isZero();
        assertThatThrownBy(() -> store.create(header(5, 1, 10))).isInstanceOf(FencedByRecoveryException.class);
        restart();
        assertThat(disk.list()).noneMatch(name -> name.endsWith(".fence"));
        assertThatThrownBy(() -> store.create(header(5, 1, 10))).isInstanceOf(FencedByRecoveryException.class);
        store.create(header(6, 1, 11));
    }

    @Test
    void aRecoveryOfALowerEpochIsRefused() throws IOException {
        store.create(header(5, 1, 10));
        store.fence(header(5, 1, 10), 20);
        restart();
        assertThatThrownBy(() -> store.fence(header(5, 1, 10), 19)).isInstanceOf(FencedByRecoveryException.class);
        assertThatThrownBy(() -> store.copy(header(5, 1, 10), 19, ExtentHeader.BYTES, ByteBuffer.allocate(8)))
                .isInstanceOf(FencedByRecoveryException.class);
        assertThat(store.fence(header(5, 1, 10), 21)).isZero();
        assertThatThrownBy(() -> store.copy(header(5, 1, 10), 20, ExtentHeader.BYTES, ByteBuffer.allocate(8)))
                .isInstanceOf(FencedByRecoveryException.class);
    }

    @Test
    void aWriterThatSleptThroughTheDeletionOfItsExtentsStaysDead() throws IOException {
        store.create(header(5, 1, 10));
        store.fence(header(5, 1, 10), 20);
        store.settle(5, 0);
        delete(5);
        assertThat(disk.list()).noneMatch(name -> name.endsWith(".fence"));
        assertThatThrownBy(() -> store.create(header(5, 1, 10))).isInstanceOf(FencedByRecoveryException.class);
        restart();
        assertThatThrownBy(() -> store.create(header(7, 1, 10))).isInstanceOf(FencedByRecoveryException.class);
        assertThatThrownBy(() -> store.create(header(8, 1, 9))).isInstanceOf(FencedByRecoveryException.class);
        store.create(header(9, 1, 11));
        store.create(header(10, 2, 10));
    }
}
