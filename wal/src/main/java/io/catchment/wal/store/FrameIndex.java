package io.catchment.wal.store;

import java.io.IOException;
import java.util.function.Function;

/** The index of one extent: in memory, or in the footer of its file. Thread-safe. */
interface FrameIndex {

    /** Ids of the streams that have frames below the limit. */
    long[] streams(long limit) throws IOException;

    /** Runs a look-up on a stream's rows; the rows are not valid after it returned. */
    <T> T query(long streamId, Function<StreamRows, T> lookUp) throws IOException;

    long memoryBytes();
}
