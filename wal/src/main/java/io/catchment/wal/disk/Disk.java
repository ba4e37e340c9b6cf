package io.catchment.wal.disk;

import java.io.IOException;
import java.util.List;

/**
 * A flat directory of files. Calls block; different files may be used from different threads. Any call may fail with
 * {@link IOException}; then it is unknown how much of it happened.
 */
public interface Disk {

    /** Names of all files, in no order. */
    List<String> list() throws IOException;

    /** A new empty file; fails if the name is taken. The name is durable after {@link #syncNames}. */
    DiskFile create(String name) throws IOException;

    /** A new empty file that is filled with zeros; fails if the name is taken. The name is durable after {@link #syncNames}. */
    ZeroFill fill(String name) throws IOException;

    /** An existing file for reading and writing. */
    DiskFile open(String name) throws IOException;

    /** Atomic; replaces {@code to} if it exists. Durable after {@link #syncNames}. */
    void rename(String from, String to) throws IOException;

    /** Durable after {@link #syncNames}. A file that is not there is no error. */
    void delete(String name) throws IOException;

    /** Makes creations, renames and deletions so far durable. */
    void syncNames() throws IOException;

    /** Bytes that can still be written. */
    long usableBytes() throws IOException;
}
