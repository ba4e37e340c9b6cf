package io.catchment.wal.store;

import io.catchment.wal.FrameEntry;
import io.catchment.wal.format.IndexRow;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Look-ups in the rows of one stream; rows at or beyond {@code limit} (a position in the extent) do not exist for them. */
final class RowSearch {
    private RowSearch() {}

    /** How many rows lie below the limit: positions only grow. */
    static int visible(StreamRows rows, long limit) {
        int low = 0;
        int high = rows.count();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (rows.position(middle) < limit) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    static List<FrameEntry> entries(StreamRows rows, long streamId, long limit) throws IOException {
        int count = visible(rows, limit);
        List<FrameEntry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            entries.add(IndexRow.entry(rows.array(i), rows.at(i), streamId));
        }
        return entries;
    }

    static Optional<FrameEntry> floor(StreamRows rows, long streamId, long offset, long limit) throws IOException {
        int i = floorData(rows, visible(rows, limit), offset);
        return i < 0 ? Optional.empty() : Optional.of(IndexRow.entry(rows.array(i), rows.at(i), streamId));
    }

    /** DATA frames from the one that holds the offset (or the first after it) on, without a gap, at least one if there is one. */
    static ReadPlan plan(StreamRows rows, long fromOffset, int bytesMax, long limit) throws IOException {
        int count = visible(rows, limit);
        ReadPlan plan = new ReadPlan();
        long bytes = 0;
        for (int i = Math.max(0, floorData(rows, count, fromOffset)); i < count; i++) {
            byte[] array = rows.array(i);
            int at = rows.at(i);
            if (!IndexRow.isData(array, at) || IndexRow.endOffset(array, at) <= fromOffset) {
                continue;
            }
            int payloadLength = IndexRow.payloadLength(array, at);
            bytes += payloadLength;
            if (!plan.isEmpty() && (bytes > bytesMax || IndexRow.baseOffset(array, at) != plan.endOffset())) {
                break;
            }
            plan.add(rows.position(i), payloadLength, IndexRow.baseOffset(array, at), IndexRow.recordCount(array, at));
        }
        return plan;
    }

    /** The last DATA row among the first {@code count} that starts at or before the offset, or -1. */
    private static int floorData(StreamRows rows, int count, long offset) throws IOException {
        int low = 0;
        int high = count;
        int kept = rows.keptFrom();
        if (kept > 0 && kept < count) {
            // Who reads the tail touches nothing but memory.
            if (IndexRow.baseOffset(rows.array(kept), rows.at(kept)) <= offset) {
                low = kept;
            } else {
                high = kept;
            }
        }
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (IndexRow.baseOffset(rows.array(middle), rows.at(middle)) <= offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        int i = low - 1;
        while (i >= 0 && !IndexRow.isData(rows.array(i), rows.at(i))) {
            i--;
        }
        return i;
    }
}
