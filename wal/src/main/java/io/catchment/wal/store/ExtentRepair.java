package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.ExtentHeader;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A sealed extent's bytes on their way into this store from a holder. Owned by the loop that copies. They gather in a file
 * of another name, which a restart deletes; only a whole, verified copy takes the extent's name.
 */
public final class ExtentRepair {
    private final Disk disk;
    private final ExtentFiles files;
    private final ExtentScanners scanners;
    private final long extentId;
    private final long length;
    private final String name;
    private final DiskFile file;
    private long position = ExtentHeader.BYTES;

    ExtentRepair(Disk disk, ExtentFiles files, ExtentScanners scanners, ExtentHeader header, long length)
            throws IOException {
        this.disk = disk;
        this.files = files;
        this.scanners = scanners;
        this.extentId = header.extentId();
        this.length = length;
        this.name = FileNames.repair(extentId);
        this.file = files.take(name, header.lane(), length);
        try {
            file.write(0, header.encode());
        } catch (IOException | RuntimeException e) {
            // Nobody has this object to abandon it
            files.discard(file, name);
            throw e;
        }
    }

    /** Where the next piece begins. */
    public long position() {
        return position;
    }

    public boolean complete() {
        return position >= length;
    }

    public void write(ByteBuffer piece) throws IOException {
        int bytes = (int) Math.min(piece.remaining(), length - position);
        file.write(position, piece.limit(piece.position() + bytes));
        position += bytes;
    }

    /** Verifies frame by frame and syncs; the result has its final length and the sealed name, durable on return. */
    StoredExtent finish() throws IOException {
        ExtentScan scan = scanners.of(file, extentId, length).scan();
        if (scan.validLength() != length) {
            throw new CorruptExtentException(
                    "the copy of extent " + extentId + " is damaged at " + scan.validLength() + " of " + length,
                    scan.validLength());
        }
        StoredExtent extent =
                new StoredExtent(extentId, StoredExtent.State.SETTLED, FileNames.sealed(extentId, length));
        extent.footerWritten = FooterWriter.write(extentId, length, scan.index(), file);
        file.sync();
        disk.rename(name, extent.fileName);
        disk.syncNames();
        extent.file = file;
        extent.index = scan.index();
        extent.durableLength = length;
        extent.sealedName = true;
        return extent;
    }

    public void abandon() {
        files.discard(file, name);
    }
}
