package io.catchment.objectstore.bundle;

import java.util.Arrays;

/** Owned by its bundle writer. The index entries of all ranges one after the other, and where each range's entries begin. */
final class SparseIndex {
    private long[] entries = new long[3 * 64];
    private int size;
    private int[] firstOfRange = new int[16];
    private int ranges;

    /** A new range begins; its first payload gets an entry. */
    void range() {
        if (ranges == firstOfRange.length) {
            firstOfRange = Arrays.copyOf(firstOfRange, ranges * 2);
        }
        firstOfRange[ranges++] = size;
    }

    void payload(long baseOffset, long position, long maxEventTimeMsBefore) {
        boolean first = firstOfRange[ranges - 1] == size;
        if (!first && position - entries[3 * (size - 1) + 1] < BundleFormat.INDEX_STEP_BYTES) {
            return;
        }
        if (3 * size == entries.length) {
            entries = Arrays.copyOf(entries, entries.length * 2);
        }
        entries[3 * size] = baseOffset;
        entries[3 * size + 1] = position;
        entries[3 * size + 2] = maxEventTimeMsBefore;
        size++;
    }

    int size() {
        return size;
    }

    int firstOf(int range) {
        return firstOfRange[range];
    }

    long offset(int entry) {
        return entries[3 * entry];
    }

    long position(int entry) {
        return entries[3 * entry + 1];
    }

    long maxEventTimeMsBefore(int entry) {
        return entries[3 * entry + 2];
    }
}
