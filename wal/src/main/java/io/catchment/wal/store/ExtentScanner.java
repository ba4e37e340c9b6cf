package io.catchment.wal.store;

import io.catchment.wal.FrameKind;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.format.FrameHeader;
import io.catchment.wal.format.FrameRows;
import java.io.IOException;

/**
 * Walks an extent's frames from the start and stops at the first that is not valid. Used once, by the thread that scans.
 *
 * <p>A bad frame is either the torn end of the last write, which was never acknowledged, or damage to bytes that were
 * durable. Telling them apart: a write begins only after the one before it was synced, and each frame says where its write
 * began. So a valid frame further on whose write began beyond the bad frame proves that the bad frame was durable once.
 */
final class ExtentScanner {
    private static final int BATCH_ROWS = 4096;

    private final FrameWindow window;
    private final long end;
    private final MemoryIndex index;
    private final FrameRows rows = new FrameRows();

    /**
     * @param end frames that reach beyond this position do not exist
     * @param index empty
     */
    ExtentScanner(FrameWindow window, long end, MemoryIndex index) {
        this.window = window;
        this.end = end;
        this.index = index;
    }

    ExtentScan scan() throws IOException {
        return scanFrom(ExtentHeader.BYTES);
    }

    /** The same from a frame on: nothing is said about those before it. */
    ExtentScan scanFrom(long start) throws IOException {
        long position = start;
        long lastGroupStart = position;
        while (true) {
            FrameHeader frame = window.validFrame(position);
            if (frame == null) {
                break;
            }
            index(frame, position);
            lastGroupStart = frame.groupStart();
            position += frame.frameBytes();
        }
        index.append(rows);
        long valid = position == ExtentHeader.BYTES ? 0 : position;
        return new ExtentScan(valid, lastGroupStart, provenLength(position), index);
    }

    private void index(FrameHeader frame, long position) throws IOException {
        if (frame.kind() == FrameKind.NOOP) {
            return;
        }
        window.addRow(frame, position, rows);
        if (rows.count() == BATCH_ROWS) {
            index.append(rows);
            rows.clear();
        }
    }

    /** Looks beyond a bad frame for one whose write began after it. */
    private long provenLength(long bad) throws IOException {
        long proven = 0;
        for (long position = bad + FrameFormat.ALIGNMENT;
                position + FrameFormat.HEADER_BYTES <= end;
                position += FrameFormat.ALIGNMENT) {
            FrameHeader frame = window.header(position);
            if (frame != null
                    && frame.groupStart() > bad
                    && frame.groupStart() > proven
                    && window.intact(frame, position)) {
                proven = frame.groupStart();
            }
        }
        return proven;
    }
}
