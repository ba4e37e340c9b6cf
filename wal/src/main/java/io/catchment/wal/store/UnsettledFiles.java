package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.format.FrameFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Supplier;
import java.util.zip.Checksum;

/** What an earlier run left open: finding its valid end and making that end durable. Callers hold the extent's lock. */
final class UnsettledFiles {
    private final Disk disk;
    private final Supplier<Checksum> checksums;

    UnsettledFiles(Disk disk, Supplier<Checksum> checksums) {
        this.disk = disk;
        this.checksums = checksums;
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
        ExtentScan found = new ExtentScanner(file, extent.extentId, file.sizeBytes(), checksums.get()).scan();
        // Bytes that a recovery copied here were not written group by group: only what was answered before counts as
        // proof.
        long proven = answeredLength >= 0 ? answeredLength : found.provenLength();
        ExtentScan scan = new ExtentScan(found.validLength(), found.lastGroupStart(), proven, found.index());
        extent.scan = scan;
        extent.index = scan.index();
        extent.durableLength = scan.validLength();
        return scan;
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
        makeDurable(file, scan);
        return scan.validLength();
    }

    /**
     * Wipes the header behind the valid end, so that the cut stays where it is whatever else of the torn write is there. And
     * writes the last group once more: if the sync of that write failed before the crash, its pages may sit in the page
     * cache as clean without being on disk, and only a rewrite makes the next sync mean something.
     */
    private static void makeDurable(DiskFile file, ExtentScan scan) throws IOException {
        long end = Math.max(scan.validLength(), ExtentHeader.BYTES);
        if (end < file.sizeBytes()) {
            file.write(end, ByteBuffer.allocate(FrameFormat.HEADER_BYTES));
        }
        long position = Math.min(scan.lastGroupStart(), end);
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
        file.sync();
    }
}
