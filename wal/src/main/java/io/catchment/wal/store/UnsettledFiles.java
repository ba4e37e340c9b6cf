package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.format.FrameFormat;
import java.io.IOException;
import java.nio.ByteBuffer;

/** What an earlier run left open: finding its valid end and making that end durable. Callers hold the extent's lock. */
final class UnsettledFiles {
    private final Disk disk;
    private final ExtentScanners scanners;

    UnsettledFiles(Disk disk, ExtentScanners scanners) {
        this.disk = disk;
        this.scanners = scanners;
    }

    /**
     * Scans once; the extent then knows its durable length and its index.
     *
     * @param answeredLength what a fence of an earlier run promised, negative if none
     */
    ExtentScan scan(StoredExtent extent, long answeredLength) throws IOException {
        ExtentScan known = extent.scan;
        if (known != null) {
            return known;
        }
        DiskFile file = extent.file;
        if (file == null) {
            file = disk.open(extent.fileName);
            extent.file = file;
        }
        ExtentScan found = scanners.of(file, extent.extentId, file.sizeBytes()).scan();
        ExtentScan scan = answeredLength < 0 ? found : afterCopies(found, answeredLength);
        extent.scan = scan;
        extent.index = scan.index();
        return scan;
    }

    /**
     * Bytes that a recovery copied here were not written and synced group by group but in pieces of many groups: only what was
     * answered before they came proves anything, and none of them is known to be on disk.
     */
    private static ExtentScan afterCopies(ExtentScan found, long answeredLength) {
        long copiedFrom = Math.max(answeredLength, ExtentHeader.BYTES);
        return new ExtentScan(
                found.validLength(), Math.min(found.unsyncedFrom(), copiedFrom), answeredLength, found.index());
    }

    /** Cuts the torn end, makes what is valid durable, and answers its length. */
    long cutAndSync(StoredExtent extent, long answeredLength) throws IOException {
        ExtentScan scan = scan(extent, answeredLength);
        if (scan.corrupt()) {
            extent.state = StoredExtent.State.CORRUPT;
            throw new CorruptExtentException(
                    "extent " + extent.extentId + " is damaged at " + scan.validLength() + " although "
                            + scan.provenLength() + " bytes of it were durable",
                    scan.validLength());
        }
        DiskFile file = extent.file;
        if (file == null) {
            throw new IllegalStateException("extent " + extent.extentId + " was scanned but has no file");
        }
        try {
            makeDurable(file, extent.extentId, scan);
        } catch (IOException failed) {
            // What the scan saw may have been in the page cache only, and may be gone from it when this is tried again.
            extent.scan = null;
            throw failed;
        }
        extent.durableLength = scan.validLength();
        return scan.validLength();
    }

    /**
     * Wipes the header behind the valid end, so that the cut stays where it is whatever else of the torn write is there. And
     * writes once more what may not be on disk: if the sync of it failed before the crash, its pages may sit in the page
     * cache as clean without being on disk, and only a rewrite makes the next sync mean something.
     */
    private void makeDurable(DiskFile file, long extentId, ExtentScan scan) throws IOException {
        long end = Math.max(scan.validLength(), ExtentHeader.BYTES);
        if (end < file.sizeBytes()) {
            file.write(end, ByteBuffer.allocate(FrameFormat.HEADER_BYTES));
        }
        long start = Math.min(scan.unsyncedFrom(), end);
        rewrite(file, start, end);
        file.sync();
        // Clean pages may have left the cache after the scan: then older bytes were read and written here.
        if (start < end && scanners.of(file, extentId, end).scanFrom(start).validLength() != end) {
            throw new IOException("extent " + extentId + " had valid frames up to " + end
                    + " in the page cache and not on disk: it is scanned again");
        }
    }

    private static void rewrite(DiskFile file, long start, long end) throws IOException {
        long position = start;
        ByteBuffer piece = ByteBuffer.allocateDirect((int) Math.min(1 << 20, end - position));
        while (position < end) {
            piece.clear().limit((int) Math.min(piece.capacity(), end - position));
            int bytes = file.read(position, piece);
            file.write(position, piece.flip());
            position += bytes;
            if (bytes == 0) {
                throw new IOException("the file ends at " + position + ", before its valid length " + end);
            }
        }
    }
}
