package io.catchment.wal.store;

import io.catchment.wal.Lane;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives extents their files and takes them back. Thread-safe; calls block on the disk. */
final class ExtentFiles {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentFiles.class);

    private final Disk disk;
    private final StoreConfig config;
    private final FilePool pool;

    ExtentFiles(Disk disk, StoreConfig config) {
        this.disk = disk;
        this.config = config;
        this.pool = new FilePool(disk, config.fileBytes(), config.recycledFilesMax());
    }

    FilePool pool() {
        return pool;
    }

    /** A filled file, or a new one if there is room; {@link Disk#syncNames} is the caller's duty. */
    DiskFile take(String name, Lane lane, long expectedBytes) throws IOException {
        Optional<String> ready = pool.take(expectedBytes);
        if (ready.isPresent()) {
            disk.rename(ready.get(), name);
            return disk.open(name);
        }
        long usable = disk.usableBytes();
        long needed = config.fileBytes() + (lane == Lane.URGENT ? 0 : config.reserveBytes());
        if (usable < needed) {
            throw new IOException("disk full: " + usable + " bytes usable, a new extent of the " + lane + " lane needs "
                    + needed + " with its reserve");
        }
        disk.delete(name);
        return disk.create(name);
    }

    DiskFile of(StoredExtent extent) throws IOException {
        DiskFile file = extent.file;
        if (file != null) {
            return file;
        }
        extent.lock.lock();
        try {
            file = extent.file;
            if (file == null) {
                file = disk.open(extent.fileName);
                extent.file = file;
            }
            return file;
        } finally {
            extent.lock.unlock();
        }
    }

    /** Callers hold the extent's lock. */
    void recycle(StoredExtent extent) throws IOException {
        String name = extent.fileName;
        if (name.isEmpty()) {
            return;
        }
        DiskFile file = of(extent);
        long sizeBytes = file.sizeBytes();
        file.close();
        extent.file = null;
        if (extent.broken) {
            // Its inode may hold pages that claim to be clean and are not on disk.
            disk.delete(name);
            disk.syncNames();
        } else {
            pool.recycle(name, sizeBytes);
        }
        extent.fileName = "";
    }

    void discard(DiskFile file, String name) {
        try {
            file.close();
            disk.delete(name);
        } catch (IOException alsoFailed) {
            LOG.debug("Could not delete {} after a failed creation: {}", name, alsoFailed.toString());
        }
    }

    static void closeQuietly(StoredExtent extent) {
        DiskFile file = extent.file;
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException failed) {
            LOG.debug("Could not close extent {}: {}", extent.extentId, failed.toString());
        }
    }
}
