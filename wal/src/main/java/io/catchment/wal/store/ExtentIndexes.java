package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.disk.DiskFile;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The indexes of a store's extents: in memory, from footers, or by a scan. Thread-safe; calls may read the disk. What of settled extents is in memory is
 * counted under {@code lock}, which is never held during disk work; an extent's own lock may be held when it is taken.
 *
 * <p>Beyond the bound those go that were looked at longest ago, as far as one bit for each tells: who was looked at since it came, or since it was spared the
 * last time, is spared and goes to the end. So a look-up costs no lock, and what is taken out is looked at once for each time it came in or was used.
 */
final class ExtentIndexes {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentIndexes.class);

    private final ExtentFiles files;
    private final ExtentScanners scanners;
    private final long bytesMax;
    private final Predicate<StoredExtent> isHere;
    private final ReentrantLock lock = new ReentrantLock();
    /** Settled ones whose index can be had again for a read of the disk, with its bytes; the next to go comes first. */
    private final LinkedHashMap<StoredExtent, Long> evictable = new LinkedHashMap<>();
    /** Settled ones without a footer. */
    private final Map<StoredExtent, Long> kept = new HashMap<>();

    private long bytes;

    /**
     * @param bytesMax of memory for the indexes of sealed extents
     * @param isHere whether it is one of the store's still
     */
    ExtentIndexes(ExtentFiles files, ExtentScanners scanners, long bytesMax, Predicate<StoredExtent> isHere) {
        this.files = files;
        this.scanners = scanners;
        this.bytesMax = bytesMax;
        this.isHere = isHere;
    }

    /** The extent's index, from memory, from its footer, or by a scan when the footer is missing or damaged. */
    FrameIndex of(StoredExtent extent) throws IOException {
        FrameIndex index = extent.index;
        if (index == null) {
            return load(extent, true);
        }
        if (!extent.indexUsed) {
            extent.indexUsed = true;
        }
        return index;
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
            FrameIndex loaded = extent.durableLength == 0 ? MemoryIndex.empty() : read(extent, fromFooter);
            extent.index = loaded;
            return loaded;
        } finally {
            extent.lock.unlock();
            changed(extent);
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
        ExtentScan scan =
                scanners.of(file, extent.extentId, extent.durableLength).scan();
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

    /** To be called after whatever gave a settled extent another index, or settled one that has an index. Keeps the bound. */
    void changed(StoredExtent extent) {
        lock.lock();
        try {
            remove(extent);
            FrameIndex index = extent.index;
            if (index != null && extent.state == StoredExtent.State.SETTLED && isHere.test(extent)) {
                long size = index.memoryBytes();
                boolean again = extent.durableLength == 0 || extent.footerWritten || index instanceof FooterIndex;
                (again ? evictable : kept).put(extent, size);
                bytes += size;
            }
            evict();
        } finally {
            lock.unlock();
        }
    }

    /** It is not one of the store's any more. */
    void forget(StoredExtent extent) {
        lock.lock();
        try {
            remove(extent);
        } finally {
            lock.unlock();
        }
    }

    private void remove(StoredExtent extent) {
        Long known = evictable.remove(extent);
        if (known == null) {
            known = kept.remove(extent);
        }
        bytes -= known == null ? 0 : known;
    }

    private void evict() {
        int spared = 0;
        int all = evictable.size();
        while (bytes > bytesMax && !evictable.isEmpty()) {
            Map.Entry<StoredExtent, Long> next = evictable.entrySet().iterator().next();
            StoredExtent extent = next.getKey();
            long size = next.getValue();
            evictable.remove(extent);
            // Those who look at all of them all the time must not keep this here
            if (extent.indexUsed && spared++ < all) {
                extent.indexUsed = false;
                evictable.put(extent, size);
            } else {
                bytes -= size;
                extent.indexUsed = false;
                // The next look-up opens the footer.
                extent.index = null;
            }
        }
    }
}
