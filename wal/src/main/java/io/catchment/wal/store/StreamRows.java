package io.catchment.wal.store;

/** Index rows of one stream in the order they were appended. */
interface StreamRows {
    StreamRows NONE = new StreamRows() {
        @Override
        public int count() {
            return 0;
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

    /** The array that holds row i. */
    byte[] array(int i);

    /** Where row i begins in its array. */
    int at(int i);
}
