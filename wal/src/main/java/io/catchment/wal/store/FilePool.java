package io.catchment.wal.store;

import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Optional;

/**
 * Files that are fully allocated and wait for an extent: files of deleted extents, and new ones filled with zeros, so that a
 * sync of an extent does not touch file metadata. Guarded by its own monitor; the disk is used outside of it.
 */
final class FilePool {
    private static final int FILL_BYTES = 1 << 20;

    private final Disk disk;
    private final long fileBytes;
    private final int filesMax;
    private final Deque<String> free = new ArrayDeque<>();
    private long nextNumber = 1;

    FilePool(Disk disk, long fileBytes, int filesMax) {
        this.disk = disk;
        this.fileBytes = fileBytes;
        this.filesMax = filesMax;
    }

    /** Takes over what an earlier run left. */
    synchronized void adopt(Collection<String> names) {
        for (String name : names) {
            free.add(name);
            String number = name.substring(FileNames.FREE_PREFIX.length());
            nextNumber = Math.max(nextNumber, Long.parseLong(number, 16) + 1);
        }
    }

    synchronized int count() {
        return free.size();
    }

    long fileBytes() {
        return fileBytes;
    }

    synchronized Optional<String> take() {
        return Optional.ofNullable(free.poll());
    }

    /** Keeps a file that is no longer needed, or deletes it when there are enough or it is of an unusual size. */
    void recycle(String name, long sizeBytes) throws IOException {
        boolean usual = sizeBytes >= fileBytes / 2 && sizeBytes <= fileBytes * 4;
        Optional<String> freeName = usual ? freeName() : Optional.empty();
        if (freeName.isPresent()) {
            disk.rename(name, freeName.get());
        } else {
            disk.delete(name);
        }
        // Only a durable new name may be reused: else the old one could come back with the next extent's bytes.
        disk.syncNames();
        freeName.ifPresent(this::offer);
    }

    private synchronized Optional<String> freeName() {
        return free.size() < filesMax ? Optional.of(FileNames.FREE_PREFIX + number()) : Optional.empty();
    }

    private synchronized void offer(String name) {
        free.add(name);
    }

    private synchronized String number() {
        return Long.toHexString(nextNumber++);
    }

    /** Begins a new file; each step of the answered filling writes one piece, so that its thread stays free for others. */
    Filling fill() throws IOException {
        String number = number();
        String name = FileNames.FILLING_PREFIX + number;
        return new Filling(name, FileNames.FREE_PREFIX + number, disk.create(name));
    }

    /** A file that is being filled with zeros. Owned by the loop that fills. */
    final class Filling {
        private final String name;
        private final String freeName;
        private final DiskFile file;
        private final ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(FILL_BYTES, fileBytes));
        private long filled;

        private Filling(String name, String freeName, DiskFile file) {
            this.name = name;
            this.freeName = freeName;
            this.file = file;
        }

        /** Writes and syncs one piece, so that no pile of dirty pages delays the lanes' syncs. Answers whether it was the last. */
        boolean step() throws IOException {
            int bytes = (int) Math.min(FILL_BYTES, fileBytes - filled);
            file.write(filled, zeros.clear().limit(bytes));
            file.sync();
            filled += bytes;
            if (filled < fileBytes) {
                return false;
            }
            file.close();
            disk.rename(name, freeName);
            disk.syncNames();
            offer(freeName);
            return true;
        }

        /** Gives up: the disk is full or broken. */
        void abandon() throws IOException {
            file.close();
            disk.delete(name);
        }
    }
}
