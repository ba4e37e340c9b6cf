package io.catchment.wal.disk;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Through the page cache, each piece synced. */
public final class CachedFill implements ZeroFill {
    private final DiskFile file;
    private long filledBytes;

    /** @param filledBytes with which the file begins already */
    public CachedFill(DiskFile file, long filledBytes) {
        this.file = file;
        this.filledBytes = filledBytes;
    }

    @Override
    public void append(int bytes) throws IOException {
        file.write(filledBytes, ByteBuffer.allocateDirect(bytes));
        file.sync();
        filledBytes += bytes;
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
