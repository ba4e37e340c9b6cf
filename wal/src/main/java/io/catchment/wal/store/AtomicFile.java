package io.catchment.wal.store;

import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Replaces a small file so that after a crash it is the old one or the new one, whole; durable on return. */
final class AtomicFile {
    private AtomicFile() {}

    static void write(Disk disk, String name, ByteBuffer bytes) throws IOException {
        String temporary = name + FileNames.TEMPORARY;
        disk.delete(temporary);
        try (DiskFile file = disk.create(temporary)) {
            file.write(0, bytes);
            file.sync();
        }
        disk.rename(temporary, name);
        disk.syncNames();
    }
}
