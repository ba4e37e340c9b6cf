package io.catchment.wal.store;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Stream id → numbers of its rows, by open addressing. Guarded by the lock of its index. */
final class StreamTable {
    private long[] keys = new long[16];
    private @Nullable Ordinals[] values = new Ordinals[16];
    private int size;

    /** Ascending row numbers of one stream. */
    static final class Ordinals {
        private static final Ordinals NONE = new Ordinals();

        private int[] numbers = new int[4];
        private int count;

        int count() {
            return count;
        }

        /** What is below the count stays as it is. */
        int[] numbers() {
            return numbers;
        }

        private void add(int number) {
            if (count == numbers.length) {
                numbers = Arrays.copyOf(numbers, count + (count >> 1));
            }
            numbers[count++] = number;
        }
    }

    void add(long streamId, int row) {
        int slot = slot(streamId, keys, values);
        Ordinals ordinals = values[slot];
        if (ordinals == null) {
            ordinals = new Ordinals();
            keys[slot] = streamId;
            values[slot] = ordinals;
            if (++size * 2 > keys.length) {
                grow();
            }
        }
        ordinals.add(row);
    }

    /** Without rows if the stream is not there. */
    Ordinals find(long streamId) {
        Ordinals found = values[slot(streamId, keys, values)];
        return found == null ? Ordinals.NONE : found;
    }

    /** Forgets rows numbered {@code rows} and above. */
    void cut(int rows) {
        for (Ordinals ordinals : values) {
            while (ordinals != null && ordinals.count > 0 && ordinals.numbers[ordinals.count - 1] >= rows) {
                ordinals.count--;
            }
        }
    }

    /** Ids with at least one row, ascending. */
    long[] ids() {
        long[] ids = new long[size];
        int count = 0;
        for (int i = 0; i < keys.length; i++) {
            Ordinals ordinals = values[i];
            if (ordinals != null && ordinals.count > 0) {
                ids[count++] = keys[i];
            }
        }
        long[] found = Arrays.copyOf(ids, count);
        Arrays.sort(found);
        return found;
    }

    long memoryBytes() {
        long bytes = keys.length * 16L;
        for (Ordinals ordinals : values) {
            bytes += ordinals == null ? 0 : 40 + ordinals.numbers.length * 4L;
        }
        return bytes;
    }

    private void grow() {
        long[] newKeys = new long[keys.length * 2];
        @Nullable Ordinals[] newValues = new Ordinals[keys.length * 2];
        for (int i = 0; i < keys.length; i++) {
            if (values[i] != null) {
                int slot = slot(keys[i], newKeys, newValues);
                newKeys[slot] = keys[i];
                newValues[slot] = values[i];
            }
        }
        keys = newKeys;
        values = newValues;
    }

    private static int slot(long key, long[] keys, @Nullable Ordinals[] values) {
        int mask = keys.length - 1;
        int slot = (int) ((key * 0x9E37_79B9_7F4A_7C15L) >>> 40) & mask;
        while (values[slot] != null && keys[slot] != key) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }
}
