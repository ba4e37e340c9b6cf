package io.catchment.wal.testing;

import io.catchment.wal.disk.Disk;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.disk.ZeroFill;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A disk whose reads are counted. Thread-safe. */
public final class CountingDisk implements Disk {
    private final Disk disk;
    private final AtomicInteger reads = new AtomicInteger();

    public CountingDisk(Disk disk) {
        this.disk = disk;
    }

    public int reads() {
        return reads.get();
    }

    @Override
    public List<String> list() throws IOException {
        return disk.list();
    }

    @Override
    public DiskFile create(String name) throws IOException {
        return new CountedFile(disk.create(name));
    }

    @Override
    public ZeroFill fill(String name) throws IOException {
        return disk.fill(name);
    }

    @Override
    public DiskFile open(String name) throws IOException {
        return new CountedFile(disk.open(name));
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
        return disk.usableBytes();
    }

    private final class CountedFile implements DiskFile {
        private final DiskFile file;

        CountedFile(DiskFile file) {
            this.file = file;
        }

        @Override
        public long sizeBytes() throws IOException {
            return file.sizeBytes();
        }

        @Override
        public void write(long position, ByteBuffer... buffers) throws IOException {
            file.write(position, buffers);
        }

        @Override
        public int read(long position, ByteBuffer into) throws IOException {
            reads.incrementAndGet();
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
