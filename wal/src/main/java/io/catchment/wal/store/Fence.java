package io.catchment.wal.store;

import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * A promise kept in a file of its own: the extent's writer is accepted no more, nor a recovery below the epoch, and this
 * length was answered. A file apart because an extent can be fenced that this store never got.
 *
 * @param epoch of the recovery
 * @param answeredLength what the recoverer was told is durable here
 */
record Fence(long extentId, long epoch, long answeredLength, int writerNodeId, long writerEpoch) {
    private static final long MAGIC = 0x4341_5443_4846_4E43L; // CATCHFNC
    private static final int BYTES = 48;

    void write(Disk disk) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        bytes.putLong(MAGIC).putLong(extentId).putLong(epoch).putLong(answeredLength);
        bytes.putInt(writerNodeId).putLong(writerEpoch);
        bytes.putInt(crc(bytes));
        AtomicFile.write(disk, FileNames.fence(extentId), bytes.flip());
    }

    static Fence read(Disk disk, String name) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        try (DiskFile file = disk.open(name)) {
            file.read(0, bytes);
        }
        if (bytes.hasRemaining() || bytes.getLong(0) != MAGIC || bytes.getInt(BYTES - 4) != crc(bytes)) {
            throw new IOException("fence file " + name + " is damaged");
        }
        return new Fence(bytes.getLong(8), bytes.getLong(16), bytes.getLong(24), bytes.getInt(32), bytes.getLong(36));
    }

    private static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate().position(0).limit(BYTES - 4));
        return (int) crc.getValue();
    }
}
