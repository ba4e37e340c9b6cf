package io.catchment.wal.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.Admission;
import io.catchment.wal.Lane;
import io.catchment.wal.disk.FileDisk;
import io.catchment.wal.store.ExtentReader;
import io.catchment.wal.store.ExtentStore;
import io.catchment.wal.store.StoreConfig;
import io.catchment.wal.testing.CountingDisk;
import io.catchment.wal.testing.Frames;
import io.catchment.wal.testing.MemoryRegistry;
import io.catchment.wal.testing.RecordingListener;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many indexes of sealed extents are in memory, and which. */
class IndexBoundTest {
    private static final int EXTENTS = 8;
    private static final int STREAMS = 100;

    @TempDir
    Path dir;

    private FileDisk files;
    private CountingDisk disk;
    private ExtentStore store;
    private ExtentReader reader;
    private List<Long> extents;
    /** Of one extent's directory. */
    private long unit;

    @BeforeEach
    void writeExtents() throws Exception {
        WalConfig config = WalConfig.defaults(dir).withExtentBytes(1 << 20).withReserveBytes(0);
        RecordingListener listener = new RecordingListener();
        MemoryRegistry registry = new MemoryRegistry(7);
        try (LocalWal wal = LocalWal.open(config, 7, registry, listener)) {
            registry.register(wal.storeId());
            for (int extent = 0; extent < EXTENTS; extent++) {
                for (int i = 0; i < STREAMS; i++) {
                    assertThat(wal.append(Lane.NORMAL, Frames.data(i, extent, 1, 50), "context"))
                            .isEqualTo(Admission.ACCEPTED);
                }
                var acknowledged = listener.await("acknowledged", STREAMS * (extent + 1));
                wal.roll(Lane.NORMAL, acknowledged.get(acknowledged.size() - 1).extentId());
                listener.await("sealed", extent + 1);
            }
            wal.shutdown(10_000).toCompletableFuture().get(20, TimeUnit.SECONDS);
        }
        open(Long.MAX_VALUE);
        look(extents.get(0));
        unit = store.indexBytes();
        assertThat(unit).isPositive();
    }

    private void open(long indexBytesMax) throws IOException {
        end();
        files = FileDisk.open(dir);
        disk = new CountingDisk(files);
        store = ExtentStore.open(
                disk, new StoreConfig(1 << 20, 2, 0, indexBytesMax), CRC32C::new, System::nanoTime, UUID::randomUUID);
        reader = new ExtentReader(store, UnpooledByteBufAllocator.DEFAULT);
        extents = new ArrayList<>(store.extents());
        assertThat(extents).hasSizeGreaterThanOrEqualTo(EXTENTS);
        extents.subList(EXTENTS, extents.size()).clear();
    }

    @AfterEach
    void end() throws IOException {
        if (store != null) {
            store.close();
        }
        if (files != null) {
            files.close();
        }
    }

    /** How often the disk was read for it. */
    private int look(long extent) throws IOException {
        int before = disk.reads();
        assertThat(reader.streams(extent)).hasSize(STREAMS);
        return disk.reads() - before;
    }

    @Test
    void whatIsLookedAtAllTheTimeStaysWhileOthersComeAndGo() throws Exception {
        open(3 * unit);
        long oldest = extents.get(0);
        assertThat(look(oldest)).isPositive();
        for (long other : extents.subList(1, EXTENTS)) {
            assertThat(look(other)).isPositive();
            assertThat(look(oldest)).as("after extent %s came", other).isZero();
            assertThat(store.indexBytes()).isLessThanOrEqualTo(3 * unit);
        }
        assertThat(look(extents.get(1))).as("it went").isPositive();
    }

    @Test
    void thoseThatWereNotLookedAtForLongestGo() throws Exception {
        open(3 * unit);
        for (long extent : extents.subList(0, 4)) {
            assertThat(look(extent)).isPositive();
        }
        for (long extent : extents.subList(1, 4)) {
            assertThat(look(extent)).as("extent %s", extent).isZero();
        }
        assertThat(look(extents.get(0))).isPositive();
    }

    @Test
    void theBoundHoldsThroughLookUpsAndDeletions() throws Exception {
        long seed = Long.getLong("seed", new Random().nextLong());
        Random random = new Random(seed);
        open(5 * unit / 2);
        for (int step = 0; step < 500; step++) {
            long extent = extents.get(random.nextInt(extents.size()));
            if (extents.size() > 2 && random.nextInt(80) == 0) {
                store.delete(extent, Runnable::run, failed -> assertThat(failed).isNull());
                extents.remove(extent);
            } else {
                look(extent);
            }
            assertThat(store.indexBytes())
                    .as("seed %s, replay with -Dtest=IndexBoundTest -Dseed=%s", seed, seed)
                    .isLessThanOrEqualTo(5 * unit / 2);
        }
    }

    @Test
    void withoutRoomForASingleOneEachIsReadEachTime() throws Exception {
        open(unit - 1);
        for (int i = 0; i < 2; i++) {
            assertThat(look(extents.get(0))).isPositive();
            assertThat(store.indexBytes()).isZero();
        }
    }
}
