package io.catchment.wal.store;

import java.io.IOException;

/** The index of one extent: in memory, or in the footer of its file. Thread-safe. */
interface FrameIndex {

    /** Ids of the streams that have frames below the limit. */
    long[] streams(long limit) throws IOException;

    /** Runs a look-up on a stream's rows; the rows are not valid after it returned. */
    <T> T query(long streamId, LookUp<T> lookUp) throws IOException;

    long memoryBytes();

    /** What somebody wants to know of a stream's rows. */
    @FunctionalInterface
    interface LookUp<T> {
        T in(StreamRows rows) throws IOException;
    }
}
