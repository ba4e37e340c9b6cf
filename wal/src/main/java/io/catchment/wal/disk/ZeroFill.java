package io.catchment.wal.disk;

import java.io.IOException;

/** A new file that is filled with zeros before anybody uses it. One thread at a time. */
public interface ZeroFill extends AutoCloseable {

    /** So many more zeros. Leaves no pile in the page cache that the next sync of another file would have to wait for. */
    void append(int bytes) throws IOException;

    /** Makes the zeros durable and their blocks the file's own: a later sync of bytes written over them changes no metadata. */
    void sync() throws IOException;

    @Override
    void close() throws IOException;
}
