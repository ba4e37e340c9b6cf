package io.catchment.wal.store;

import io.catchment.wal.Lane;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.replica.Replica.Appended;
import io.catchment.wal.replica.WriteGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * A store as a replica of live writers. Thread-safe and blocking. A write is accepted only at the extent's end, and counts only once synced. After a
 * failed write or sync a file is never written or synced again: nobody knows what of it is on disk, and a later success would lie.
 */
final class LiveExtents {
    private static final int PAGE_BYTES = 4096;
    private static final ByteBuffer PAGE_OF_ZEROS = ByteBuffer.allocateDirect(PAGE_BYTES);

    private final Disk disk;
    private final Extents extents;
    private final ExtentFiles files;
    private final ExpectedBytes expected;
    private final ExtentScanners scanners;
    private final ExtentIndexes indexes;
    private final Fences fences;
    private final LongSupplier nanoTime;

    LiveExtents(
            Disk disk,
            Extents extents,
            ExtentFiles files,
            ExpectedBytes expected,
            ExtentScanners scanners,
            ExtentIndexes indexes,
            Fences fences,
            LongSupplier nanoTime) {
        this.disk = disk;
        this.extents = extents;
        this.files = files;
        this.expected = expected;
        this.scanners = scanners;
        this.indexes = indexes;
        this.fences = fences;
        this.nanoTime = nanoTime;
    }

    /** See {@link io.catchment.wal.replica.Replica#create}. */
    void create(ExtentHeader header) throws IOException {
        long extentId = header.extentId();
        fences.refuseCreation(header);
        StoredExtent existing = extents.get(extentId);
        if (existing != null && (existing.state != StoredExtent.State.OPEN || existing.durableLength != 0)) {
            throw new IOException("extent " + extentId
                    + " is already in this WAL directory: it belongs to another cluster, or to a lost control plane");
        }
        if (existing != null) {
            extents.remove(extentId);
            indexes.forget(existing);
            ExtentFiles.closeQuietly(existing);
        }
        String name = FileNames.open(extentId);
        DiskFile file = files.take(name, header.lane(), expectedBytes(header.lane()));
        try {
            file.write(0, header.encode());
            file.sync();
            disk.syncNames();
        } catch (IOException failed) {
            files.discard(file, name);
            throw failed;
        }
        StoredExtent extent = new StoredExtent(extentId, StoredExtent.State.OPEN, name);
        extent.file = file;
        extent.lane = header.lane();
        extent.index = scanners.index(extentId, () -> files.of(extent));
        extents.add(extent);
    }

    /** See {@link io.catchment.wal.replica.Replica#append}. */
    Appended append(WriteGroup group) throws IOException {
        StoredExtent extent = extents.held(group.extentId());
        extent.lock.lock();
        try {
            fences.refuseWriter(extent.extentId, group.writerEpoch());
            requireWritable(extent, group.position());
            group.verify();
            return write(extent, group);
        } finally {
            extent.lock.unlock();
        }
    }

    private Appended write(StoredExtent extent, WriteGroup group) throws IOException {
        DiskFile file = files.of(extent);
        long started = nanoTime.getAsLong();
        long written;
        try {
            file.write(group.position(), wholePages(group));
            written = nanoTime.getAsLong();
            file.sync();
        } catch (IOException failed) {
            extent.broken = true;
            throw failed;
        }
        long synced = nanoTime.getAsLong();
        if (extent.index instanceof MemoryIndex index) {
            index.append(group.rows());
        }
        extent.durableLength = group.endPosition();
        return new Appended(group.endPosition(), written - started, synced - written);
    }

    /**
     * The group, and zeros to the end of its last page: a page that is not in the page cache, as those of a file that was filled past it,
     * would have to be read before a part of it could be written. The next group begins where this one ends, over the zeros.
     */
    private static ByteBuffer[] wholePages(WriteGroup group) {
        ByteBuffer[] frames = group.buffers();
        ByteBuffer[] whole = Arrays.copyOf(frames, frames.length + 1);
        int missing = (int) Math.floorMod(-group.endPosition(), (long) PAGE_BYTES);
        whole[frames.length] = PAGE_OF_ZEROS.duplicate().limit(missing);
        return whole;
    }

    private static void requireWritable(StoredExtent extent, long position) throws IOException {
        if (extent.state != StoredExtent.State.OPEN || extent.broken) {
            throw new IOException("extent " + extent.extentId + " takes no more bytes: it is "
                    + (extent.broken ? "broken by an earlier fault" : extent.state));
        }
        long end = Math.max(extent.durableLength, ExtentHeader.BYTES);
        if (position != end) {
            throw new IllegalStateException("extent " + extent.extentId + " ends at " + end + ", a write at " + position
                    + " would leave a hole or overwrite (W3)");
        }
    }

    /** See {@link io.catchment.wal.replica.Replica#acknowledged}. */
    void acknowledged(long extentId, long length) {
        StoredExtent extent = extents.get(extentId);
        if (extent != null && extent.state == StoredExtent.State.OPEN) {
            extent.acknowledgedLength = length;
        }
    }

    /** Size of a file that the lane's next extent is likely to fit in. */
    long expectedBytes(Lane lane) {
        return expected.of(lane, extents.longestOpen(lane));
    }
}
