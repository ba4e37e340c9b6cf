package io.catchment.wal.store;

import java.io.IOException;

/** Where the rows of an index come from that it does not keep: the frames themselves. Thread-safe. */
@FunctionalInterface
interface RowSource {

    /** For one look-up, on one thread. */
    Reader open() throws IOException;

    /** Makes rows again. */
    @FunctionalInterface
    interface Reader {
        /** One row in an array of its own; the frame at the position is verified before. */
        byte[] row(long position) throws IOException;
    }
}
