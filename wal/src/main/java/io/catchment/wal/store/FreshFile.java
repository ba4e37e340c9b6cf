package io.catchment.wal.store;

import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.ExtentHeader;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A new file for an extent whose old one failed a write or a sync: that one can never be written again, but what it had
 * synced before is good. Callers hold the extent's lock.
 */
final class FreshFile {
    private static final int PIECE_BYTES = 1 << 20;

    private FreshFile() {}

    /** Durable on return: the extent's name is the new file's, the old inode is gone. */
    static void replace(StoredExtent extent, ExtentHeader header, ExtentFiles files, Disk disk) throws IOException {
        String name = FileNames.repair(extent.extentId);
        DiskFile fresh = files.take(name, header.lane(), extent.durableLength);
        try {
            fresh.write(0, header.encode());
            copy(files.of(extent), fresh, extent.durableLength);
            fresh.sync();
            disk.rename(name, extent.fileName);
            disk.syncNames();
        } catch (IOException failed) {
            files.discard(fresh, name);
            throw failed;
        }
        ExtentFiles.closeQuietly(extent);
        extent.file = fresh;
        extent.broken = false;
    }

    private static void copy(DiskFile from, DiskFile to, long length) throws IOException {
        long position = ExtentHeader.BYTES;
        ByteBuffer piece = ByteBuffer.allocateDirect((int) Math.max(1, Math.min(PIECE_BYTES, length - position)));
        while (position < length) {
            piece.clear().limit((int) Math.min(piece.capacity(), length - position));
            int bytes = from.read(position, piece);
            if (bytes == 0) {
                throw new IOException("the file ends at " + position + ", before its durable length " + length);
            }
            to.write(position, piece.flip());
            position += bytes;
        }
    }
}
