package io.catchment.wal.disk;

import java.io.IOException;
import java.nio.ByteBuffer;

/** An open file. One writer at a time; reads may run beside it. */
public interface DiskFile extends AutoCloseable {

    long sizeBytes() throws IOException;

    /** Writes all remaining bytes of the buffers one after the other, and consumes them. Grows the file as needed. */
    void write(long position, ByteBuffer... buffers) throws IOException;

    /** Reads until the buffer is full or the file ends; answers the bytes read, 0 at the end. */
    int read(long position, ByteBuffer into) throws IOException;

    /**
     * Makes all bytes written so far durable ({@code fdatasync}). After a failure nobody knows which of them are: a later
     * success on the same file means nothing, so it must never be asked again.
     */
    void sync() throws IOException;

    @Override
    void close() throws IOException;
}
