package io.catchment.wal.process;

import static io.catchment.wal.testing.WalFixture.bytes;
import static io.catchment.wal.testing.WalFixture.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.catchment.wal.Admission;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.Lane;
import io.catchment.wal.WalStats.LaneStats;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.FileDisk;
import io.catchment.wal.loop.ThreadLoops;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.node.WalEnvironment;
import io.catchment.wal.testing.Frames;
import io.catchment.wal.testing.MemoryRegistry;
import io.catchment.wal.testing.Mounts;
import io.catchment.wal.testing.QuotaDisk;
import io.catchment.wal.testing.RecordingListener;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A full disk: nothing acknowledged is lost, nothing accepted is failed, and the lane resumes once there is room. */
final class DiskFullTest {
    private static final int NODE = 4;
    private static final long CAPACITY = 8 << 20;
    private static final int PAYLOAD = 7_000;

    @TempDir
    Path dir;

    private final MemoryRegistry registry = new MemoryRegistry(NODE);
    private final RecordingListener listener = new RecordingListener();

    @Test
    void aLaneOnAFullQuotaSuspendsAndResumes() throws Exception {
        try (FileDisk disk = FileDisk.open(dir)) {
            fillAndFree(new QuotaDisk(disk, CAPACITY));
        }
    }

    @Test
    void aLaneOnAFullFileSystemSuspendsAndResumes() throws Exception {
        Path mount = Files.createDirectory(dir.resolve("small"));
        assumeTrue(Mounts.mount("tmpfs", mount, "-o", "size=" + CAPACITY), "needs root");
        try (FileDisk disk = FileDisk.open(mount)) {
            fillAndFree(disk);
        } finally {
            assertThat(Mounts.unmount(mount)).isTrue();
        }
    }

    private void fillAndFree(Disk disk) throws IOException {
        ThreadLoops loops = new ThreadLoops("full-", (loop, broken) -> {
            throw new IllegalStateException(loop, broken);
        });
        WalEnvironment environment = new WalEnvironment(
                disk, loops, CRC32C::new, PooledByteBufAllocator.DEFAULT, new SplittableRandom(1), UUID::randomUUID);
        WalConfig config = WalConfig.defaults(dir)
                .withExtentBytes(1 << 20)
                .withReserveBytes(0)
                .withRoll(60_000, 1)
                .withQueueBytesMax(200_000);
        try (LocalWal wal = LocalWal.open(config, NODE, environment, registry, listener)) {
            registry.register(wal.storeId());
            int accepted = appendUntilSuspended(wal);
            String reason = listener.await("laneState", 1).get(0).text();
            assertThat(reason).containsAnyOf("No space left", "disk full");
            LaneStats lane = Objects.requireNonNull(wal.stats().lanes().get(Lane.NORMAL));
            assertThat(lane.accepting()).isFalse();
            assertThat(lane.fault()).isNotEmpty();
            checkAcknowledged(wal);

            for (RecordingListener.Event sealed : listener.all("sealed")) {
                // As if flushed. Keep what the check at the end wants to see.
                get(wal.delete(sealed.extentId()));
            }
            listener.await("laneState", 1, event -> event.value() == 1);
            listener.await("acknowledged", accepted);
            assertThat(listener.all("acknowledged"))
                    .extracting(RecordingListener.Event::value)
                    .doesNotHaveDuplicates();
            assertThat(wal.append(Lane.NORMAL, Frames.data(1, accepted, 1, PAYLOAD), null))
                    .isEqualTo(Admission.ACCEPTED);
            listener.await("acknowledged", accepted + 1);
            checkHeld(wal);
        }
    }

    private static int appendUntilSuspended(LocalWal wal) {
        int accepted = 0;
        while (true) {
            Frame frame = Frames.data(1, accepted, 1, PAYLOAD);
            Admission admission = wal.append(Lane.NORMAL, frame, null);
            if (admission == Admission.ACCEPTED) {
                accepted++;
                continue;
            }
            frame.payload().release();
            if (admission == Admission.SUSPENDED) {
                return accepted;
            }
            assertThat(admission).isEqualTo(Admission.FULL);
            Thread.onSpinWait();
        }
    }

    private void checkAcknowledged(LocalWal wal) {
        List<RecordingListener.Event> acknowledged = listener.all("acknowledged");
        assertThat(acknowledged).hasSizeGreaterThan(500);
        for (RecordingListener.Event one : acknowledged) {
            assertThat(bytes(get(wal.read(one.extentId(), 1, one.value(), 1)).payload()))
                    .isEqualTo(Frames.bytes(1, one.value(), PAYLOAD));
        }
    }

    private static void checkHeld(LocalWal wal) {
        for (long extent : wal.extents()) {
            for (FrameEntry entry : wal.index(extent, 1)) {
                assertThat(bytes(get(wal.payload(extent, entry))))
                        .isEqualTo(Frames.bytes(1, entry.baseOffset(), PAYLOAD));
            }
        }
    }
}
