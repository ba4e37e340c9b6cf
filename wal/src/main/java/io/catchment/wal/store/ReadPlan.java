package io.catchment.wal.store;

import java.util.Arrays;

/** Which frames a read wants, in order of position. Owned by the thread that reads. */
final class ReadPlan {
    private long[] positions = new long[16];
    private long[] baseOffsets = new long[16];
    private int[] payloadLengths = new int[16];
    private int count;
    private long endOffset;

    void add(long position, int payloadLength, long baseOffset, int recordCount) {
        if (count == positions.length) {
            positions = Arrays.copyOf(positions, count * 2);
            baseOffsets = Arrays.copyOf(baseOffsets, count * 2);
            payloadLengths = Arrays.copyOf(payloadLengths, count * 2);
        }
        positions[count] = position;
        baseOffsets[count] = baseOffset;
        payloadLengths[count++] = payloadLength;
        endOffset = baseOffset + recordCount;
    }

    boolean isEmpty() {
        return count == 0;
    }

    int count() {
        return count;
    }

    long position(int i) {
        return positions[i];
    }

    long baseOffset(int i) {
        return baseOffsets[i];
    }

    int payloadLength(int i) {
        return payloadLengths[i];
    }

    long endOffset() {
        return endOffset;
    }
}
