package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.ExtentHeader;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A store as a replica of recoveries. Thread-safe and blocking; each extent under its own lock. What an earlier run left open is scanned, cut and synced before
 * anything is answered about it; a fence is on disk before it is answered.
 */
final class RecoveredExtents {
    private final Disk disk;
    private final Extents extents;
    private final ExtentFiles files;
    private final Fences fences;
    private final UnsettledFiles unsettledFiles;

    RecoveredExtents(Disk disk, Extents extents, ExtentFiles files, Fences fences, UnsettledFiles unsettledFiles) {
        this.disk = disk;
        this.extents = extents;
        this.files = files;
        this.fences = fences;
        this.unsettledFiles = unsettledFiles;
    }

    /** See {@link io.catchment.wal.replica.Replica#fence}. */
    long fence(ExtentHeader header, long recoveryEpoch) throws IOException {
        long extentId = header.extentId();
        fences.refuseLateRecovery(extentId, recoveryEpoch);
        StoredExtent extent = extents.get(extentId);
        if (extent == null) {
            return fences.persist(header, recoveryEpoch, 0);
        }
        extent.lock.lock();
        try {
            return fences.persist(header, recoveryEpoch, fencedLength(extent, header));
        } finally {
            extent.lock.unlock();
        }
    }

    private long fencedLength(StoredExtent extent, ExtentHeader header) throws IOException {
        return switch (extent.state) {
            case OPEN, SETTLED -> extent.durableLength;
            case UNSETTLED -> extent.fileName.isEmpty() ? 0 : madeDurable(extent, header);
            case CORRUPT ->
                throw new CorruptExtentException(
                        "extent " + extent.extentId + " is damaged before its durable length", validPrefix(extent));
        };
    }

    private long madeDurable(StoredExtent extent, ExtentHeader header) throws IOException {
        if (extent.broken) {
            // A copy failed here: what it left in the page cache may look whole.
            FreshFile.replace(extent, header, files, disk);
            extent.scan = null;
        }
        return unsettledFiles.cutAndSync(extent, fences.answeredLength(extent.extentId));
    }

    private static long validPrefix(StoredExtent extent) {
        ExtentScan scan = extent.scan;
        return scan == null ? 0 : scan.validLength();
    }

    /** See {@link io.catchment.wal.replica.Replica#fetch}. */
    ByteBuffer fetch(long extentId, long position, int bytesMax) throws IOException {
        StoredExtent extent = extents.held(extentId);
        int bytes = (int) Math.max(0, Math.min(bytesMax, extent.durableLength - position));
        if (bytes == 0 || extent.state == StoredExtent.State.CORRUPT) {
            throw new IOException("extent " + extentId + " has no bytes at " + position + " here: it is " + extent.state
                    + ", " + extent.durableLength + " long");
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
        files.of(extent).read(position, buffer);
        if (buffer.hasRemaining()) {
            throw new CorruptExtentException("extent " + extentId + " ends before its durable length", 0);
        }
        return buffer.flip();
    }

    /** See {@link io.catchment.wal.replica.Replica#copy}. */
    long copy(ExtentHeader header, long recoveryEpoch, long position, ByteBuffer bytes) throws IOException {
        fences.refuseOtherRecovery(header.extentId(), recoveryEpoch);
        StoredExtent extent = extents.heldOrNew(header.extentId());
        extent.lock.lock();
        try {
            return copyTail(extent, header, position, bytes);
        } finally {
            extent.lock.unlock();
        }
    }

    private long copyTail(StoredExtent extent, ExtentHeader header, long position, ByteBuffer bytes)
            throws IOException {
        long end = Math.max(extent.durableLength, ExtentHeader.BYTES);
        if (position != end || extent.state == StoredExtent.State.SETTLED) {
            throw new IOException("extent " + extent.extentId + " takes no copy at " + position + ", it ends at " + end
                    + " and is " + extent.state);
        }
        if (extent.broken && !extent.fileName.isEmpty()) {
            FreshFile.replace(extent, header, files, disk);
        }
        if (extent.fileName.isEmpty()) {
            String name = FileNames.open(extent.extentId);
            extent.file = files.take(name, header.lane(), position + bytes.remaining());
            extent.fileName = name;
        }
        DiskFile file = files.of(extent);
        try {
            if (extent.durableLength == 0) {
                file.write(0, header.encode());
                disk.syncNames();
            }
            long length = position + bytes.remaining();
            file.write(position, bytes);
            file.sync();
            extent.durableLength = length;
            extent.state = StoredExtent.State.UNSETTLED;
            extent.scan = null;
            return length;
        } catch (IOException failed) {
            extent.broken = true;
            throw failed;
        }
    }
}
