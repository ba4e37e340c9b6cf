package io.catchment.wal.store;

import java.io.IOException;

/** Index rows of one stream in the order they were appended. */
interface StreamRows {
    StreamRows NONE = new StreamRows() {
        @Override
        public int count() {
            return 0;
        }

        @Override
        public long position(int i) {
            throw new IndexOutOfBoundsException(i);
        }

        @Override
        public byte[] array(int i) {
            throw new IndexOutOfBoundsException(i);
        }

        @Override
        public int at(int i) {
            throw new IndexOutOfBoundsException(i);
        }
    };

    int count();

    /** Where the frame of row i lies in the extent; without reading anything. */
    long position(int i);

    /** The array that holds row i. */
    byte[] array(int i) throws IOException;

    /** Where row i begins in its array. */
    int at(int i);

    /** Rows from this one on are in memory; for those before something may have to be read. */
    default int keptFrom() {
        return 0;
    }
}
