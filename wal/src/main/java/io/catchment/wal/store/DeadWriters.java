package io.catchment.wal.store;

import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * For each node the last epoch of it that some recovery fenced. Outlives the fences of single extents: a writer that slept
 * through its own funeral and the deletion of its extents must not create them anew. Guarded by its monitor.
 */
final class DeadWriters {
    private static final long MAGIC = 0x4341_5443_4844_4541L; // CATCHDEA
    private static final int HEADER_BYTES = 12;
    private static final int ENTRY_BYTES = 12;

    private final Disk disk;
    private Map<Integer, Long> epochs = new TreeMap<>();

    DeadWriters(Disk disk) {
        this.disk = disk;
    }

    synchronized boolean isDead(int nodeId, long epoch) {
        return epoch <= epochs.getOrDefault(nodeId, Long.MIN_VALUE);
    }

    /** Durable on return. */
    synchronized void add(int nodeId, long epoch) throws IOException {
        if (isDead(nodeId, epoch)) {
            return;
        }
        Map<Integer, Long> changed = new TreeMap<>(epochs);
        changed.put(nodeId, epoch);
        ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES + changed.size() * ENTRY_BYTES + 4);
        bytes.putLong(MAGIC).putInt(changed.size());
        changed.forEach((node, last) -> bytes.putInt(node).putLong(last));
        bytes.putInt(crc(bytes, bytes.position()));
        AtomicFile.write(disk, FileNames.DEAD_WRITERS, bytes.flip());
        epochs = changed;
    }

    synchronized void read() throws IOException {
        try (DiskFile file = disk.open(FileNames.DEAD_WRITERS)) {
            int size = Math.toIntExact(file.sizeBytes());
            ByteBuffer bytes = ByteBuffer.allocate(size);
            file.read(0, bytes);
            int entries = (size - HEADER_BYTES - 4) / ENTRY_BYTES;
            if (entries < 0
                    || bytes.hasRemaining()
                    || bytes.getLong(0) != MAGIC
                    || bytes.getInt(8) != entries
                    || bytes.getInt(size - 4) != crc(bytes, size - 4)) {
                throw new IOException("file " + FileNames.DEAD_WRITERS + " is damaged");
            }
            for (int i = 0; i < entries; i++) {
                int at = HEADER_BYTES + i * ENTRY_BYTES;
                epochs.put(bytes.getInt(at), bytes.getLong(at + 4));
            }
        }
    }

    private static int crc(ByteBuffer bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate().position(0).limit(length));
        return (int) crc.getValue();
    }
}
