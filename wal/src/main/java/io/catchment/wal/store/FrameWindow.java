package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.format.FrameHeader;
import io.catchment.wal.format.FrameRows;
import io.catchment.wal.format.IndexRow;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/** A window that moves over an extent's file, in which frames are looked at and verified. Owned by the thread that looks. */
final class FrameWindow implements RowSource.Reader {
    private final DiskFile file;
    private final long extentId;
    private final long end;
    private final Checksum checksum;
    private final ByteBuffer window;
    private final byte[] head = new byte[IndexRow.HEAD_BYTES_MAX];
    private long windowStart;
    private int windowBytes;

    /**
     * @param end frames that reach beyond this position do not exist
     * @param window at least 4 KiB; all of it is read at each move
     */
    FrameWindow(DiskFile file, long extentId, long end, Checksum checksum, ByteBuffer window) {
        this.file = file;
        this.extentId = extentId;
        this.end = end;
        this.checksum = checksum;
        this.window = window;
    }

    /** Null if there is no frame at the position, or one that is not what was written. */
    @Nullable
    FrameHeader validFrame(long position) throws IOException {
        FrameHeader frame = header(position);
        return frame != null && intact(frame, position) ? frame : null;
    }

    /** A header that can be one of this extent's, not verified. */
    @Nullable
    FrameHeader header(long position) throws IOException {
        if (position + FrameFormat.HEADER_BYTES > end) {
            return null;
        }
        int at = require(position, FrameFormat.HEADER_BYTES);
        return at < 0 ? null : FrameFormat.header(window, at, extentId, position);
    }

    boolean intact(FrameHeader frame, long position) throws IOException {
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

    /** Adds the row of a frame that was found valid. */
    void addRow(FrameHeader frame, long position, FrameRows rows) throws IOException {
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
    }

    @Override
    public byte[] row(long position) throws IOException {
        FrameHeader frame = validFrame(position);
        if (frame == null) {
            throw new CorruptExtentException(
                    "extent " + extentId + ": the frame at " + position + " is not what was written", 0);
        }
        FrameRows rows = new FrameRows();
        addRow(frame, position, rows);
        return Arrays.copyOf(rows.bytes(), IndexRow.BYTES);
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
