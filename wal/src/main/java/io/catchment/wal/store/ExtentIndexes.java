package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.disk.DiskFile;
import java.io.IOException;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.zip.Checksum;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The indexes of a store's extents: in memory, from footers, or by a scan. Thread-safe; calls may read the disk. */
final class ExtentIndexes {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentIndexes.class);

    private final ExtentFiles files;
    private final Supplier<Checksum> checksums;
    private final long bytesMax;
    private final Collection<StoredExtent> oldestFirst;

    /**
     * @param bytesMax of memory for the indexes of sealed extents
     * @param oldestFirst all there are, as it changes
     */
    ExtentIndexes(
            ExtentFiles files, Supplier<Checksum> checksums, long bytesMax, Collection<StoredExtent> oldestFirst) {
        this.oldestFirst = oldestFirst;
        this.files = files;
        this.checksums = checksums;
        this.bytesMax = bytesMax;
    }

    /** The extent's index, from memory, from its footer, or by a scan when the footer is missing or damaged. */
    FrameIndex of(StoredExtent extent) throws IOException {
        FrameIndex index = extent.index;
        return index != null ? index : load(extent, true);
    }

    /** Replaces an index whose footer turned out damaged. */
    FrameIndex rescan(StoredExtent extent) throws IOException {
        return load(extent, false);
    }

    private FrameIndex load(StoredExtent extent, boolean fromFooter) throws IOException {
        extent.lock.lock();
        try {
            FrameIndex index = extent.index;
            if (index != null && (fromFooter || index instanceof MemoryIndex)) {
                return index;
            }
            FrameIndex loaded = extent.durableLength == 0 ? new MemoryIndex() : read(extent, fromFooter);
            extent.index = loaded;
            return loaded;
        } finally {
            extent.lock.unlock();
            evict();
        }
    }

    private FrameIndex read(StoredExtent extent, boolean fromFooter) throws IOException {
        DiskFile file = files.of(extent);
        if (fromFooter) {
            Optional<FooterIndex> footer = FooterIndex.open(extent.extentId, extent.durableLength, file);
            if (footer.isPresent()) {
                return footer.get();
            }
        }
        ExtentScan scan = new ExtentScanner(file, extent.extentId, extent.durableLength, checksums.get()).scan();
        if (scan.validLength() != extent.durableLength) {
            extent.state = StoredExtent.State.CORRUPT;
            LOG.error(
                    "Extent {} is sealed at {} but damaged at {}: it is not served from here any more",
                    extent.extentId,
                    extent.durableLength,
                    scan.validLength());
            throw new CorruptExtentException(
                    "extent " + extent.extentId + " is damaged at " + scan.validLength(), scan.validLength());
        }
        return scan.index();
    }

    static long memoryBytes(Collection<StoredExtent> extents) {
        long bytes = 0;
        for (StoredExtent extent : extents) {
            FrameIndex index = extent.index;
            bytes += index == null ? 0 : index.memoryBytes();
        }
        return bytes;
    }

    /** Takes the oldest sealed extents' indexes, and the directories of their footers, out of memory until the rest is within its bound. */
    void evict() {
        long excess = memoryBytes(oldestFirst) - bytesMax;
        for (StoredExtent extent : oldestFirst) {
            if (excess <= 0) {
                return;
            }
            FrameIndex index = extent.index;
            boolean hasFooter = extent.footerWritten || index instanceof FooterIndex;
            if (extent.state == StoredExtent.State.SETTLED && hasFooter && index != null) {
                excess -= index.memoryBytes();
                // The next look-up opens the footer.
                extent.index = null;
            }
        }
    }
}
