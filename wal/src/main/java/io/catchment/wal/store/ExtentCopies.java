package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.format.ExtentHeader;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a store a holder of sealed extents: by a copy, or by a proof that what is here is all of it. Thread-safe and blocking. */
final class ExtentCopies {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentCopies.class);

    private final Disk disk;
    private final Extents extents;
    private final ExtentFiles files;
    private final ExtentScanners scanners;
    private final ExtentIndexes indexes;
    private final Fences fences;
    private final UnsettledFiles unsettledFiles;
    private final ExtentEnds ends;

    ExtentCopies(
            Disk disk,
            Extents extents,
            ExtentFiles files,
            ExtentScanners scanners,
            ExtentIndexes indexes,
            Fences fences,
            UnsettledFiles unsettledFiles,
            ExtentEnds ends) {
        this.disk = disk;
        this.extents = extents;
        this.files = files;
        this.scanners = scanners;
        this.indexes = indexes;
        this.fences = fences;
        this.unsettledFiles = unsettledFiles;
        this.ends = ends;
    }

    /**
     * Settles a copy that no record names, and reads all of it. Nobody counted on this copy so far, so what of it may not be
     * on disk is written once more: its last sync may have failed. Fails with {@link CorruptExtentException} unless it is
     * all of what was written.
     */
    void verify(long extentId, long length) throws IOException {
        StoredExtent extent = extents.get(extentId);
        if (extent != null) {
            extent.lock.lock();
            try {
                makeCopyDurable(extent);
            } finally {
                extent.lock.unlock();
            }
        }
        ends.settle(extentId, length);
        if (!whole(extentId, length)) {
            throw new CorruptExtentException(
                    "extent " + extentId + " is sealed at " + length + " and not all of it is what was written", 0);
        }
    }

    private void makeCopyDurable(StoredExtent extent) throws IOException {
        if (extent.state != StoredExtent.State.UNSETTLED || extent.fileName.isEmpty()) {
            return;
        }
        if (extent.broken) {
            throw new IOException("extent " + extent.extentId
                    + " was not copied to its end: a write failed, and nobody knows what of it is on disk");
        }
        unsettledFiles.cutAndSync(extent, fences.answeredLength(extent.extentId));
    }

    /** Whether all of a sealed extent is here, can be read and is what was written: reads all of it. */
    boolean whole(long extentId, long length) {
        StoredExtent extent = extents.get(extentId);
        if (extent == null || extent.state != StoredExtent.State.SETTLED || extent.durableLength != length) {
            return false;
        }
        try {
            return length == 0 || scanners.whole(extent, files.of(extent)).validLength() == length;
        } catch (IOException unreadable) {
            LOG.warn("Extent {} cannot be read: {}", extentId, unreadable.toString());
            return false;
        }
    }

    /** Begins to copy a sealed extent into this store; the caller fetches the pieces. */
    ExtentRepair beginRepair(ExtentHeader header, long length) throws IOException {
        return new ExtentRepair(disk, files, scanners, header, length);
    }

    /** A verified copy takes the place of whatever was here of the extent. */
    void finishRepair(ExtentRepair repair) throws IOException {
        StoredExtent repaired = repair.finish();
        StoredExtent old = extents.replace(repaired);
        indexes.changed(repaired);
        if (old != null) {
            indexes.forget(old);
            old.releaseForDeletion(() -> replaced(old, repaired));
        }
    }

    /** Callers are the last reader of the old copy, or the repair itself. */
    private void replaced(StoredExtent old, StoredExtent by) {
        ExtentFiles.closeQuietly(old);
        try {
            if (!old.fileName.isEmpty() && !old.fileName.equals(by.fileName)) {
                disk.delete(old.fileName);
                disk.syncNames();
            }
        } catch (IOException failed) {
            LOG.warn("The old copy of extent {} stays on disk: {}", by.extentId, failed.toString());
        }
    }
}
