package io.catchment.wal.node;

import static io.catchment.wal.testing.WalFixture.append;
import static io.catchment.wal.testing.WalFixture.bytes;
import static io.catchment.wal.testing.WalFixture.failure;
import static io.catchment.wal.testing.WalFixture.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.Lane;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.testing.Frames;
import io.catchment.wal.testing.MemoryRegistry;
import io.catchment.wal.testing.RecordingListener;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** W6: damage is told apart from a torn end, reported, and never served. */
final class CorruptionTest {
    private static final int NODE = 3;
    private static final int PAYLOAD = 200;
    private static final int FRAMES = 20;

    @TempDir
    Path dir;

    private final MemoryRegistry registry = new MemoryRegistry(NODE);
    private RecordingListener listener = new RecordingListener();
    private LocalWal wal;
    private long extent;
    private List<FrameEntry> frames = List.of();

    @BeforeEach
    void writeSomeGroups() throws IOException {
        open();
        for (int i = 0; i < FRAMES; i++) {
            append(wal, Lane.NORMAL, Frames.data(1, i, 1, PAYLOAD));
            listener.await("acknowledged", i + 1);
        }
        extent = wal.extents().get(0);
        frames = wal.index(extent, 1);
    }

    private void open() throws IOException {
        listener = new RecordingListener();
        wal = LocalWal.open(
                WalConfig.defaults(dir).withExtentBytes(1 << 20).withReserveBytes(0), NODE, registry, listener);
        registry.register(wal.storeId());
    }

    @AfterEach
    void close() {
        wal.close();
    }

    private Path file() throws IOException {
        try (Stream<Path> files = Files.list(dir)) {
            return files.filter(file -> file.getFileName().toString().startsWith("extent-0000000000000001"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private void flip(long position) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(file().toFile(), "rw")) {
            file.seek(position);
            int old = file.read();
            file.seek(position);
            file.write(old ^ 4);
        }
    }

    private List<ExtentDescriptor> crash() throws IOException {
        List<ExtentDescriptor> open = registry.open();
        wal.close();
        return open;
    }

    @Test
    void aDamagedFrameIsNeverServedAndItsNeighboursAre() throws Exception {
        wal.roll(Lane.NORMAL, extent);
        listener.await("sealed", 1);
        flip(frames.get(5).payloadPosition() + 100);
        assertThat(failure(wal.payload(extent, frames.get(5)))).isInstanceOf(CorruptExtentException.class);
        assertThat(failure(wal.read(extent, 1, 4, 10 * PAYLOAD))).isInstanceOf(CorruptExtentException.class);
        Throwable load = failure(wal.load(extent));
        assertThat(load).isInstanceOf(CorruptExtentException.class);
        assertThat(((CorruptExtentException) load).validLength())
                .isEqualTo(frames.get(5).position());
        assertThat(bytes(get(wal.read(extent, 1, 6, PAYLOAD)).payload())).isEqualTo(Frames.bytes(1, 6, PAYLOAD));
    }

    @Test
    void aCopyIsVerifiedToItsEndThoughItWasSettledLongAgo() throws Exception {
        wal.roll(Lane.NORMAL, extent);
        listener.await("sealed", 1);
        long length = wal.length(extent).orElseThrow();
        get(wal.verify(extent, length));
        assertThat(failure(wal.verify(extent, length - 1))).isInstanceOf(CorruptExtentException.class);
        assertThat(failure(wal.verify(extent + 1, length))).isInstanceOf(CorruptExtentException.class);
        flip(frames.get(5).payloadPosition() + 100);
        get(wal.settle(extent, length));
        assertThat(failure(wal.verify(extent, length))).isInstanceOf(CorruptExtentException.class);
    }

    @Test
    void aSettledCopyThatIsFoundDamagedIsNamedUntilItIsWholeAgain() throws Exception {
        wal.roll(Lane.NORMAL, extent);
        long length = listener.await("sealed", 1).get(0).value();
        for (int run = 0; run < 2; run++) {
            assertThat(wal.unsettled()).doesNotContain(extent);
            flip(frames.get(5).payloadPosition() + 100);
            assertThat(wal.unsettled()).as("nobody has seen it").doesNotContain(extent);
            assertThat(failure(wal.load(extent))).isInstanceOf(CorruptExtentException.class);
            assertThat(wal.unsettled()).contains(extent);
            for (int attempt = 0; attempt < 2; attempt++) {
                Throwable settle = failure(wal.settle(extent, length));
                assertThat(settle).isInstanceOf(CorruptExtentException.class);
                assertThat(((CorruptExtentException) settle).validLength())
                        .isEqualTo(frames.get(5).position());
            }
            assertThat(bytes(get(wal.read(extent, 1, 6, PAYLOAD)).payload()))
                    .as("its neighbour may be the last one of its kind")
                    .isEqualTo(Frames.bytes(1, 6, PAYLOAD));

            flip(frames.get(5).payloadPosition() + 100);
            get(wal.settle(extent, length));
            assertThat(wal.unsettled()).doesNotContain(extent);
            get(wal.load(extent)).close();
            // What an earlier run has sealed is no different.
            crash();
            open();
        }
        flip(frames.get(5).payloadPosition() + 100);
        assertThat(failure(wal.payload(extent, frames.get(5)))).isInstanceOf(CorruptExtentException.class);
        assertThat(wal.unsettled()).as("a frame is enough").contains(extent);
    }

    @Test
    void damageBeforeTheDurableLengthIsReportedAndWaits() throws Exception {
        List<ExtentDescriptor> open = crash();
        flip(frames.get(10).payloadPosition() + 7);
        open();
        RecoveryReport report = get(wal.recover(open));
        RecoveryReport.Waiting waiting = report.waiting().get(0);
        assertThat(waiting.extentId()).isEqualTo(extent);
        assertThat(waiting.reason()).contains("damaged at " + frames.get(10).position());
        assertThat(wal.unsettled()).contains(extent);
        assertThat(wal.index(extent, 1)).isEmpty();

        assertThat(get(wal.declareLost(open.get(0)))).isEqualTo(frames.get(10).position());
        assertThat(wal.index(extent, 1)).hasSize(10);
        assertThat(registry.sealed()).containsEntry(extent, frames.get(10).position());
    }

    @Test
    void aTornLastWriteIsCut() throws Exception {
        List<ExtentDescriptor> open = crash();
        flip(frames.get(FRAMES - 1).payloadPosition() + 7);
        open();
        RecoveryReport report = get(wal.recover(open));
        assertThat(report.waiting()).isEmpty();
        assertThat(registry.sealed())
                .containsEntry(extent, frames.get(FRAMES - 1).position());
        assertThat(wal.index(extent, 1)).hasSize(FRAMES - 1);
    }

    @Test
    void aSealedExtentThatMissesAcknowledgedBytesIsNotSettled() throws Exception {
        crash();
        flip(frames.get(FRAMES - 1).payloadPosition());
        open();
        assertThat(failure(wal.settle(extent, frames.get(FRAMES - 1).position() + 256)))
                .isInstanceOf(CorruptExtentException.class);
        assertThat(wal.length(extent)).isEmpty();
    }

    @Test
    void aDamagedFooterIsReplacedByAScan() throws Exception {
        wal.roll(Lane.NORMAL, extent);
        long length = listener.await("sealed", 1).get(0).value();
        crash();
        long footer = (length + 4095) / 4096 * 4096;
        // In the rows: the directory still vouches for them, their own checksum does not.
        flip(footer + 64 + 24 + 500);
        open();
        assertThat(wal.index(extent, 1)).usingRecursiveComparison().isEqualTo(frames);
        wal.close();
        flip(footer + 70);
        open();
        assertThat(wal.index(extent, 1)).usingRecursiveComparison().isEqualTo(frames);
    }
}
