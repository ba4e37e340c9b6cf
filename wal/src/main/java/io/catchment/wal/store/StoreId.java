package io.catchment.wal.store;

import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

/** The identity of a WAL directory: written into it once, while it is empty, and never again. */
final class StoreId {
    private static final String FIRST_LINE = "catchment wal store 1\n";

    private StoreId() {}

    /** Reads the id, or writes a new one into an empty directory. Fails on a directory that has extents but no id. */
    static String readOrWrite(Disk disk, Supplier<UUID> ids) throws IOException {
        List<String> names = disk.list();
        if (names.contains(FileNames.STORE_ID)) {
            return read(disk);
        }
        if (names.stream().anyMatch(name -> name.startsWith("extent-"))) {
            throw new IOException("the WAL directory has extents but no " + FileNames.STORE_ID
                    + ": restore that file, or move the extents away to start as a new, empty store");
        }
        String id = ids.get().toString();
        AtomicFile.write(
                disk,
                FileNames.STORE_ID,
                ByteBuffer.wrap((FIRST_LINE + id + "\n").getBytes(StandardCharsets.US_ASCII)));
        return id;
    }

    private static String read(Disk disk) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(256);
        try (DiskFile file = disk.open(FileNames.STORE_ID)) {
            file.read(0, bytes);
        }
        String text = StandardCharsets.US_ASCII.decode(bytes.flip()).toString();
        if (!text.startsWith(FIRST_LINE)) {
            throw new IOException(FileNames.STORE_ID + " in the WAL directory is not of a version this program knows");
        }
        try {
            return UUID.fromString(text.substring(FIRST_LINE.length()).strip()).toString();
        } catch (IllegalArgumentException damaged) {
            throw new IOException(FileNames.STORE_ID + " in the WAL directory is damaged: " + text.strip(), damaged);
        }
    }
}
