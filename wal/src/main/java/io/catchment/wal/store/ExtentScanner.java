package io.catchment.wal.store;

import io.catchment.wal.FrameKind;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.format.FrameHeader;
import io.catchment.wal.format.FrameRows;
import io.catchment.wal.format.IndexRow;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/**
 * Walks an extent's frames from the start and stops at the first that is not valid. Used once, by the thread that scans.
 *
 * <p>A bad frame is either the torn end of the last write, which was never acknowledged, or damage to bytes that were
 * durable. Telling them apart: a write begins only after the one before it was synced, and each frame says where its write
 * began. So a valid frame further on whose write began beyond the bad frame proves that the bad frame was durable once.
 */
final class ExtentScanner {
    private static final int WINDOW_BYTES_MAX = 1 << 20;

    private final DiskFile file;
    private final long extentId;
    private final long end;
    private final Checksum checksum;
    private final ByteBuffer window;
    private final MemoryIndex index = new MemoryIndex();
    private final FrameRows rows = new FrameRows();
    private final byte[] head = new byte[IndexRow.HEAD_BYTES_MAX];
    private long windowStart;
    private int windowBytes;

    /** @param end frames that reach beyond this position do not exist */
    ExtentScanner(DiskFile file, long extentId, long end, Checksum checksum) {
        this.file = file;
        this.extentId = extentId;
        this.end = end;
        this.checksum = checksum;
        this.window = ByteBuffer.allocateDirect((int) Math.min(WINDOW_BYTES_MAX, Math.max(4096, end)));
    }

    ExtentScan scan() throws IOException {
        return scanFrom(ExtentHeader.BYTES);
    }

    /** The same from a frame on: nothing is said about those before it. */
    ExtentScan scanFrom(long start) throws IOException {
        long position = start;
        long lastGroupStart = position;
        while (true) {
            FrameHeader frame = validFrame(position);
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
        int headAt = rows.add(
                frame.kind(),
                frame.streamId(),
                frame.baseOffset(),
                frame.appendTimeMs(),
                position,
                frame.payloadLength(),
                frame.recordCount(),
                frame.epoch());
        int headBytes = Math.min(frame.payloadLength(), IndexRow.HEAD_BYTES_MAX);
        int at = require(position + FrameFormat.HEADER_BYTES, headBytes);
        window.get(at, head, 0, headBytes);
        System.arraycopy(head, 0, rows.bytes(), headAt, headBytes);
        if (rows.count() == 4096) {
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
            FrameHeader frame = header(position);
            if (frame != null && frame.groupStart() > bad && frame.groupStart() > proven && intact(frame, position)) {
                proven = frame.groupStart();
            }
        }
        return proven;
    }

    private @Nullable FrameHeader validFrame(long position) throws IOException {
        FrameHeader frame = header(position);
        return frame != null && intact(frame, position) ? frame : null;
    }

    private @Nullable FrameHeader header(long position) throws IOException {
        if (position + FrameFormat.HEADER_BYTES > end) {
            return null;
        }
        int at = require(position, FrameFormat.HEADER_BYTES);
        return at < 0 ? null : FrameFormat.header(window, at, extentId, position);
    }

    private boolean intact(FrameHeader frame, long position) throws IOException {
        if (position + frame.frameBytes() > end) {
            return false;
        }
        checksum.reset();
        int at = require(position, FrameFormat.HEADER_BYTES);
        FrameFormat.updateWithHeader(checksum, window, at);
        window.clear();
        long from = position + FrameFormat.HEADER_BYTES;
        long left = frame.payloadLength();
        while (left > 0) {
            int step = (int) Math.min(left, window.capacity() / 2);
            int payloadAt = require(from, step);
            if (payloadAt < 0) {
                return false;
            }
            checksum.update(window.limit(payloadAt + step).position(payloadAt));
            window.clear();
            from += step;
            left -= step;
        }
        return (int) checksum.getValue() == frame.crc();
    }

    /** Makes the window hold the bytes and answers where they begin in it; -1 if the file ends before. */
    private int require(long position, int bytes) throws IOException {
        if (position < windowStart || position + bytes > windowStart + windowBytes) {
            windowStart = position;
            window.clear();
            windowBytes = file.read(position, window);
            window.clear();
        }
        return position + bytes <= windowStart + windowBytes ? (int) (position - windowStart) : -1;
    }
}
