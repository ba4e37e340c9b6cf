package io.catchment.objectstore.bundle;

import io.catchment.objectstore.BundleBuilder.BuiltCheckpoint;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;

/** Immutable. The footer of one bundle in arrays: what lies where, the sparse index, the checksums of the blocks. */
public final class BundleFooter {
    /** What a first look at an object's end should read: most footers fit. */
    public static final int TAIL_BYTES = 128 << 10;

    private final long bodyBytes;
    private final int[] blockCrcs;
    private final long[] streamIds;
    private final long[] baseOffsets;
    private final long[] endOffsets;
    private final long[] positions;
    private final int[] lengths;
    private final long[] maxEventTimesMs;
    private final long[] maxAppendTimesMs;
    private final int[] firstEntries;
    private final long[] entryOffsets;
    private final long[] entryPositions;
    private final long[] entryEventTimesMs;
    private final List<BuiltCheckpoint> checkpoints;

    private BundleFooter(long bodyBytes, int blocks, int ranges, int entries, List<BuiltCheckpoint> checkpoints) {
        this.bodyBytes = bodyBytes;
        this.blockCrcs = new int[blocks];
        this.streamIds = new long[ranges];
        this.baseOffsets = new long[ranges];
        this.endOffsets = new long[ranges];
        this.positions = new long[ranges];
        this.lengths = new int[ranges];
        this.maxEventTimesMs = new long[ranges];
        this.maxAppendTimesMs = new long[ranges];
        this.firstEntries = new int[ranges + 1];
        this.entryOffsets = new long[entries];
        this.entryPositions = new long[entries];
        this.entryEventTimesMs = new long[entries];
        this.checkpoints = checkpoints;
    }

    /** How many bytes from the object's end make up footer and trailer. CORRUPT if {@code tail} is no bundle's end. */
    public static int footerAndTrailerBytes(ByteBuf tail, long objectBytes) {
        FooterCodec.check(tail.readableBytes() >= BundleFormat.TRAILER_BYTES, "too short for a trailer");
        return FooterCodec.footerAndTrailerBytes(tail, objectBytes);
    }

    /** From exactly the bytes that {@link #footerAndTrailerBytes} told; verified, else CORRUPT. */
    public static BundleFooter read(ByteBuf footerAndTrailer, long objectBytes) {
        return FooterCodec.read(footerAndTrailer, objectBytes);
    }

    static BundleFooter parse(ByteBuf in, long bodyBytes, int blocks, int ranges, int entries, int checkpointCount) {
        List<BuiltCheckpoint> checkpoints = new ArrayList<>();
        BundleFooter footer = new BundleFooter(bodyBytes, blocks, ranges, entries, checkpoints);
        for (int i = 0; i < blocks; i++) {
            footer.blockCrcs[i] = in.readInt();
        }
        for (int i = 0; i < ranges; i++) {
            footer.readRange(in, i);
        }
        footer.firstEntries[ranges] = entries;
        for (int i = 0; i < entries; i++) {
            footer.entryOffsets[i] = in.readLong();
            footer.entryPositions[i] = in.readLong();
            footer.entryEventTimesMs[i] = in.readLong();
        }
        for (int i = 0; i < checkpointCount; i++) {
            checkpoints.add(new BuiltCheckpoint(in.readLong(), in.readLong(), in.readLong(), in.readInt()));
        }
        footer.checkRanges();
        return footer;
    }

    private void readRange(ByteBuf in, int i) {
        streamIds[i] = in.readLong();
        baseOffsets[i] = in.readLong();
        endOffsets[i] = in.readLong();
        positions[i] = in.readLong();
        lengths[i] = in.readInt();
        maxEventTimesMs[i] = in.readLong();
        maxAppendTimesMs[i] = in.readLong();
        firstEntries[i] = in.readInt();
    }

    private void checkRanges() {
        long end = BundleFormat.HEADER_BYTES;
        for (int i = 0; i < positions.length; i++) {
            FooterCodec.check(
                    positions[i] == end && lengths[i] > 0 && endOffsets[i] > baseOffsets[i],
                    "range " + i + " of the table");
            end += lengths[i];
            int first = firstEntries[i];
            int next = firstEntries[i + 1];
            FooterCodec.check(
                    first >= 0
                            && next > first
                            && next <= entryOffsets.length
                            && entryOffsets[first] == baseOffsets[i]
                            && entryPositions[first] == positions[i],
                    "index of range " + i);
        }
        FooterCodec.check(end <= bodyBytes && (positions.length == 0 || firstEntries[0] == 0), "end of the ranges");
    }

    public long bodyBytes() {
        return bodyBytes;
    }

    public int blockCount() {
        return blockCrcs.length;
    }

    public int blockCrc(int block) {
        return blockCrcs[block];
    }

    public int blockBytes(int block) {
        return (int) Math.min(BundleFormat.BLOCK_BYTES, bodyBytes - (long) block * BundleFormat.BLOCK_BYTES);
    }

    public int rangeCount() {
        return positions.length;
    }

    public BuiltRange range(int range) {
        return new BuiltRange(
                streamIds[range],
                baseOffsets[range],
                endOffsets[range],
                positions[range],
                lengths[range],
                maxEventTimesMs[range],
                maxAppendTimesMs[range]);
    }

    public List<BuiltCheckpoint> checkpoints() {
        return List.copyOf(checkpoints);
    }

    /** The range of the stream that begins at this position, or -1. */
    public int find(long streamId, long position) {
        int range = java.util.Arrays.binarySearch(positions, position);
        return range >= 0 && streamIds[range] == streamId ? range : -1;
    }

    /** The range's last index entry at or before the offset. */
    public int entryForOffset(int range, long offset) {
        return lastEntryWhere(range, entryOffsets, offset);
    }

    /**
     * The range's last index entry with only older event times before it, so that the first payload as new as {@code timeMs} lies at or
     * behind it; -1 if no payload of the range is that new.
     */
    public int entryForTime(int range, long timeMs) {
        if (maxEventTimesMs[range] < timeMs) {
            return -1;
        }
        return timeMs == Long.MIN_VALUE ? firstEntries[range] : lastEntryWhere(range, entryEventTimesMs, timeMs - 1);
    }

    public long entryOffset(int entry) {
        return entryOffsets[entry];
    }

    public long entryPosition(int entry) {
        return entryPositions[entry];
    }

    /** Where the range's next entry lies, or the range ends. */
    public long positionAfter(int range, int entry) {
        return entry + 1 < firstEntries[range + 1] ? entryPositions[entry + 1] : positions[range] + lengths[range];
    }

    /** Heap bytes, for the cache's weight. */
    public int weight() {
        return 512 + blockCrcs.length * 4 + streamIds.length * 56 + entryOffsets.length * 24 + checkpoints.size() * 48;
    }

    /** Values ascend within a range: the last entry whose value is at most {@code bound}; the first entry if none is. */
    private int lastEntryWhere(int range, long[] values, long bound) {
        int low = firstEntries[range];
        int high = firstEntries[range + 1] - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (values[middle] <= bound) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }
}
