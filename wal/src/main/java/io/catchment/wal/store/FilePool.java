package io.catchment.wal.store;

import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.disk.ZeroFill;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Files that are fully allocated and wait for an extent: files of deleted extents, and new ones filled with zeros, so that a
 * sync of an extent does not touch file metadata as long as the extent fits. Guarded by its own monitor; the disk is used outside of it.
 */
final class FilePool {
    /** Small enough for the syncs of lanes to find a gap between two. */
    private static final int FILL_BYTES = 256 << 10;
    /** Whole ones are filled past the page cache. */
    private static final int BLOCK_BYTES = 4096;

    private static final long LEAST_BYTES = 512 << 10;

    private final Disk disk;
    private final long fileBytes;
    private final int filesMax;
    private final TreeSet<Free> free =
            new TreeSet<>(Comparator.comparingLong(Free::bytes).thenComparing(Free::name));
    private long nextNumber = 1;

    private record Free(String name, long bytes) {}

    /** @param fileBytes what the longest extent needs */
    FilePool(Disk disk, long fileBytes, int filesMax) {
        this.disk = disk;
        this.fileBytes = fileBytes;
        this.filesMax = filesMax;
    }

    /** Takes over what an earlier run left. */
    void adopt(Collection<String> names) throws IOException {
        for (String name : names) {
            try (DiskFile file = disk.open(name)) {
                adopt(new Free(name, file.sizeBytes()));
            }
        }
    }

    private synchronized void adopt(Free file) {
        free.add(file);
        String number = file.name().substring(FileNames.FREE_PREFIX.length());
        nextNumber = Math.max(nextNumber, Long.parseLong(number, 16) + 1);
    }

    synchronized int count() {
        return free.size();
    }

    synchronized long bytes() {
        return free.stream().mapToLong(Free::bytes).sum();
    }

    long fileBytes() {
        return fileBytes;
    }

    synchronized boolean has(long wantedBytes) {
        return !free.isEmpty() && free.last().bytes() >= wantedBytes;
    }

    /** The smallest that is large enough, else the largest: the extent may grow out of it, at the price of slower syncs. */
    synchronized Optional<String> take(long wantedBytes) {
        Free fits = free.ceiling(new Free("", wantedBytes));
        Free taken = fits != null ? fits : free.isEmpty() ? null : free.last();
        if (taken == null) {
            return Optional.empty();
        }
        free.remove(taken);
        return Optional.of(taken.name());
    }

    /** Keeps a file that is no longer needed, rather than a smaller one, or deletes it when there are enough or it is of an unusual size. */
    void recycle(String name, long sizeBytes) throws IOException {
        boolean usual = sizeBytes >= Math.min(LEAST_BYTES, fileBytes / 2) && sizeBytes <= fileBytes * 4;
        List<String> tooMany = new ArrayList<>();
        Optional<String> freeName = usual ? freeName(sizeBytes, tooMany) : Optional.empty();
        if (freeName.isPresent()) {
            disk.rename(name, freeName.get());
        } else {
            disk.delete(name);
        }
        for (String smaller : tooMany) {
            disk.delete(smaller);
        }
        // Only a durable new name may be reused: else the old one could come back with the next extent's bytes.
        disk.syncNames();
        freeName.ifPresent(durable -> offer(durable, sizeBytes));
    }

    private synchronized Optional<String> freeName(long sizeBytes, List<String> tooMany) {
        if (free.size() >= filesMax) {
            if (free.isEmpty() || free.first().bytes() >= sizeBytes) {
                return Optional.empty();
            }
            tooMany.add(free.pollFirst().name());
        }
        return Optional.of(FileNames.FREE_PREFIX + number());
    }

    private synchronized void offer(String name, long sizeBytes) {
        free.add(new Free(name, sizeBytes));
    }

    private synchronized String number() {
        return Long.toHexString(nextNumber++);
    }

    /** Begins a new file; each step of the answered filling writes one piece, so that its thread stays free for others. */
    Filling fill(long sizeBytes) throws IOException {
        String number = number();
        String name = FileNames.FILLING_PREFIX + number;
        long wholeBlocks = (sizeBytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
        return new Filling(name, FileNames.FREE_PREFIX + number, disk.fill(name), wholeBlocks);
    }

    /** A file that is being filled with zeros. Owned by the loop that fills. */
    final class Filling {
        private final String name;
        private final String freeName;
        private final ZeroFill file;
        private final long sizeBytes;
        private long filled;

        private Filling(String name, String freeName, ZeroFill file, long sizeBytes) {
            this.name = name;
            this.freeName = freeName;
            this.file = file;
            this.sizeBytes = sizeBytes;
        }

        /** Writes one piece, and syncs all of them with the last. Answers whether it was the last. */
        boolean step() throws IOException {
            int bytes = (int) Math.min(FILL_BYTES, sizeBytes - filled);
            file.append(bytes);
            filled += bytes;
            if (filled < sizeBytes) {
                return false;
            }
            file.sync();
            file.close();
            disk.rename(name, freeName);
            disk.syncNames();
            offer(freeName, sizeBytes);
            return true;
        }

        /** Gives up: the disk is full or broken. */
        void abandon() throws IOException {
            file.close();
            disk.delete(name);
        }
    }
}
