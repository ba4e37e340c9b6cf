package io.catchment.wal.testing;

import io.catchment.wal.disk.CachedFill;
import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.disk.ZeroFill;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** A real disk that is smaller than it is. Guarded by its monitor while it counts. */
public final class QuotaDisk implements Disk {
    private final Disk disk;
    private final long quotaBytes;

    public QuotaDisk(Disk disk, long quotaBytes) {
        this.disk = disk;
        this.quotaBytes = quotaBytes;
    }

    private long usedBytes() throws IOException {
        long used = 0;
        for (String name : disk.list()) {
            try (DiskFile file = disk.open(name)) {
                used += file.sizeBytes();
            } catch (java.nio.file.NoSuchFileException renamed) {
                // Another thread was quicker; the file counts under its other name next time.
                continue;
            }
        }
        return used;
    }

    @Override
    public List<String> list() throws IOException {
        return disk.list();
    }

    @Override
    public DiskFile create(String name) throws IOException {
        return new QuotaFile(disk.create(name));
    }

    @Override
    public ZeroFill fill(String name) throws IOException {
        return new CachedFill(create(name), 0);
    }

    @Override
    public DiskFile open(String name) throws IOException {
        return new QuotaFile(disk.open(name));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        disk.rename(from, to);
    }

    @Override
    public void delete(String name) throws IOException {
        disk.delete(name);
    }

    @Override
    public void syncNames() throws IOException {
        disk.syncNames();
    }

    @Override
    public long usableBytes() throws IOException {
        return Math.max(0, quotaBytes - usedBytes());
    }

    private synchronized void refuseGrowth(long bytes) throws IOException {
        if (bytes > 0 && usedBytes() + bytes > quotaBytes) {
            throw new IOException("No space left on device");
        }
    }

    private final class QuotaFile implements DiskFile {
        private final DiskFile file;

        QuotaFile(DiskFile file) {
            this.file = file;
        }

        @Override
        public long sizeBytes() throws IOException {
            return file.sizeBytes();
        }

        @Override
        public void write(long position, ByteBuffer... buffers) throws IOException {
            long end = position;
            for (ByteBuffer buffer : buffers) {
                end += buffer.remaining();
            }
            refuseGrowth(end - file.sizeBytes());
            file.write(position, buffers);
        }

        @Override
        public int read(long position, ByteBuffer into) throws IOException {
            return file.read(position, into);
        }

        @Override
        public void sync() throws IOException {
            file.sync();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
