package io.catchment.wal.store;

import io.catchment.wal.disk.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Supplier;
import java.util.zip.Checksum;

/** Scans files of extents, and makes indexes that take from the files what they do not keep. Immutable. */
final class ExtentScanners {
    private static final int SCAN_BYTES_MAX = 1 << 20;
    /** Rows of one stream mostly lie far apart. */
    private static final int ROW_BYTES = 4 << 10;

    private final Supplier<Checksum> checksums;
    private final long usualLength;

    /** The file of an extent at the time of a look-up. */
    @FunctionalInterface
    interface FileOf {
        DiskFile get() throws IOException;
    }

    /** @param usualLength indexes of longer extents do not keep all rows */
    ExtentScanners(Supplier<Checksum> checksums, long usualLength) {
        this.checksums = checksums;
        this.usualLength = usualLength;
    }

    /** @param end frames that reach beyond this position do not exist */
    ExtentScanner of(DiskFile file, long extentId, long end) {
        ByteBuffer window = ByteBuffer.allocateDirect((int) Math.min(SCAN_BYTES_MAX, Math.max(4096, end)));
        return new ExtentScanner(
                new FrameWindow(file, extentId, end, checksums.get(), window), end, index(extentId, () -> file));
    }

    /** All that a settled extent should have; the caller compares the length. */
    ExtentScan whole(StoredExtent extent, DiskFile file) throws IOException {
        return of(file, extent.extentId, extent.durableLength).scan();
    }

    MemoryIndex index(long extentId, FileOf file) {
        RowSource rows = () ->
                new FrameWindow(file.get(), extentId, Long.MAX_VALUE, checksums.get(), ByteBuffer.allocate(ROW_BYTES));
        return new MemoryIndex(rows, usualLength);
    }
}
