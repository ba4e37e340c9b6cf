package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.Lane;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How extents get their footers, their final lengths and their last names. Thread-safe and blocking; each extent under its own lock. */
final class ExtentEnds {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentEnds.class);

    private final Disk disk;
    private final Extents extents;
    private final ExtentFiles files;
    private final ExpectedBytes expected;
    private final ExtentScanners scanners;
    private final ExtentIndexes indexes;
    private final Fences fences;
    private final UnsettledFiles unsettledFiles;

    ExtentEnds(
            Disk disk,
            Extents extents,
            ExtentFiles files,
            ExpectedBytes expected,
            ExtentScanners scanners,
            ExtentIndexes indexes,
            Fences fences,
            UnsettledFiles unsettledFiles) {
        this.disk = disk;
        this.extents = extents;
        this.files = files;
        this.expected = expected;
        this.scanners = scanners;
        this.indexes = indexes;
        this.fences = fences;
        this.unsettledFiles = unsettledFiles;
    }

    /** See {@link io.catchment.wal.replica.Replica#finish}. */
    void finish(long extentId, long length) throws IOException {
        StoredExtent extent = extents.get(extentId);
        if (extent == null || length == 0) {
            return;
        }
        extent.lock.lock();
        try {
            if (extent.state == StoredExtent.State.OPEN && extent.durableLength == length) {
                writeFooter(extent, length);
            }
        } finally {
            extent.lock.unlock();
        }
    }

    private void writeFooter(StoredExtent extent, long length) throws IOException {
        if (extent.footerWritten || extent.broken || !(extent.index instanceof MemoryIndex index)) {
            return;
        }
        DiskFile file = files.of(extent);
        try {
            if (FooterWriter.write(extent.extentId, length, index, file)) {
                file.sync();
                extent.footerWritten = true;
            }
        } catch (IOException failed) {
            extent.broken = true;
            throw failed;
        }
    }

    /**
     * See {@link io.catchment.wal.replica.Replica#settle}. What has its final length and is in doubt since is verified. In
     * memory the extent is settled even when the disk then fails to record it; call again until it does, or let the next
     * start do it.
     */
    void settle(long extentId, long length) throws IOException {
        StoredExtent extent = extents.get(extentId);
        if (extent == null) {
            if (length > 0) {
                throw new CorruptExtentException(
                        "extent " + extentId + " is sealed at " + length + " but not in this WAL directory", 0);
            }
            return;
        }
        extent.lock.lock();
        try {
            boolean news = extent.state != StoredExtent.State.SETTLED;
            settleInMemory(extent, length);
            Lane lane = extent.lane;
            if (news && lane != null && length > 0) {
                expected.ended(lane, length);
            }
            settleOnDisk(extent, length);
        } finally {
            extent.lock.unlock();
            indexes.changed(extent);
        }
    }

    private void settleInMemory(StoredExtent extent, long length) throws IOException {
        switch (extent.state) {
            case SETTLED -> {
                if (extent.durableLength != length) {
                    throw new CorruptExtentException(
                            "extent " + extent.extentId + " has final length " + extent.durableLength + " here and "
                                    + length + " in the control plane (W2)",
                            extent.durableLength);
                }
                if (extent.doubted) {
                    verify(extent);
                }
            }
            case OPEN -> cut(extent, length, extent.durableLength);
            case UNSETTLED, CORRUPT ->
                cut(
                        extent,
                        length,
                        unsettledFiles
                                .scan(extent, fences.answeredLength(extent.extentId))
                                .validLength());
        }
    }

    /** Of what has a final length nothing is cut. While it is damaged its good frames are served: it may be the last copy. */
    private void verify(StoredExtent extent) throws IOException {
        ExtentScan scan = scanners.whole(extent, files.of(extent));
        if (scan.validLength() != extent.durableLength) {
            throw new CorruptExtentException(
                    "extent " + extent.extentId + " is sealed at " + extent.durableLength + " but damaged here at "
                            + scan.validLength(),
                    scan.validLength());
        }
        // Whatever is the matter with the footer, nobody needs it now.
        extent.index = scan.index();
        extent.doubted = false;
    }

    private static void cut(StoredExtent extent, long length, long validLength) throws IOException {
        if (validLength < length) {
            extent.state = StoredExtent.State.CORRUPT;
            throw new CorruptExtentException(
                    "extent " + extent.extentId + " is sealed at " + length + " but valid here only up to "
                            + validLength,
                    validLength);
        }
        if (extent.index instanceof MemoryIndex index) {
            index.cut(length);
        }
        extent.durableLength = length;
        extent.state = StoredExtent.State.SETTLED;
        extent.scan = null;
    }

    private void settleOnDisk(StoredExtent extent, long length) throws IOException {
        if (extent.sealedName || extent.fileName.isEmpty()) {
            return;
        }
        if (length == 0) {
            files.recycle(extent);
            return;
        }
        try {
            writeFooter(extent, length);
        } catch (IOException failed) {
            LOG.warn(
                    "Extent {} has no index footer, the next start scans it instead: {}",
                    extent.extentId,
                    failed.toString());
        }
        String sealed = FileNames.sealed(extent.extentId, length);
        if (!extent.fileName.equals(sealed)) {
            disk.rename(extent.fileName, sealed);
            extent.fileName = sealed;
        }
        disk.syncNames();
        extent.sealedName = true;
    }
}
