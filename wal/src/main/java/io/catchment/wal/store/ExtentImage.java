package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.format.FrameHeader;
import io.catchment.wal.format.IndexRow;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.Checksum;

/** A sealed extent in one buffer, verified frame by frame while it was loaded. Immutable until closed. */
final class ExtentImage implements LoadedExtent {
    private final long extentId;
    private final ByteBuf bytes;
    private final MemoryIndex index;
    private final AtomicBoolean closed = new AtomicBoolean();

    private ExtentImage(long extentId, ByteBuf bytes, MemoryIndex index) {
        this.extentId = extentId;
        this.bytes = bytes;
        this.index = index;
    }

    static ExtentImage empty(long extentId) {
        return new ExtentImage(extentId, Unpooled.EMPTY_BUFFER, MemoryIndex.empty());
    }

    static ExtentImage load(long extentId, long length, DiskFile file, LoadBuffers buffers, Checksum checksum)
            throws IOException {
        int bytes = Math.toIntExact(length);
        ByteBuf buffer = buffers.take(bytes);
        try {
            ByteBuffer view = buffer.writerIndex(bytes).nioBuffer(0, bytes);
            int read = file.read(0, view);
            view.clear();
            MemoryIndex index = verify(extentId, read, bytes, view, checksum);
            return new ExtentImage(extentId, buffer.retain(), index);
        } finally {
            buffer.release();
        }
    }

    private static MemoryIndex verify(long extentId, int read, int length, ByteBuffer view, Checksum checksum)
            throws CorruptExtentException {
        MemoryIndex index = MemoryIndex.withoutRows(() -> position -> row(extentId, view, position));
        int position = ExtentHeader.BYTES;
        while (position < length) {
            FrameHeader frame = position + FrameFormat.HEADER_BYTES <= read
                    ? FrameFormat.header(view, position, extentId, position)
                    : null;
            if (frame == null || position + frame.frameBytes() > read || !intact(frame, view, position, checksum)) {
                throw new CorruptExtentException(
                        "extent " + extentId + " of length " + length + " is damaged at " + position, position);
            }
            if (frame.kind() != FrameKind.NOOP) {
                index.add(frame.streamId(), position);
            }
            position += (int) frame.frameBytes();
        }
        return index;
    }

    private static boolean intact(FrameHeader frame, ByteBuffer view, int position, Checksum checksum) {
        checksum.reset();
        FrameFormat.updateWithFrame(checksum, view, position, frame.payloadLength());
        view.clear();
        return (int) checksum.getValue() == frame.crc();
    }

    /** Of a frame that was verified when the extent was loaded. */
    private static byte[] row(long extentId, ByteBuffer view, long position) {
        int at = Math.toIntExact(position);
        FrameHeader frame = FrameFormat.header(view, at, extentId, position);
        if (frame == null) {
            throw new IllegalStateException(
                    "extent " + extentId + ": its buffer has changed at " + position + " since it was loaded");
        }
        byte[] row = new byte[IndexRow.BYTES];
        IndexRow.put(
                row,
                0,
                frame.kind(),
                frame.baseOffset(),
                frame.appendTimeMs(),
                position,
                frame.payloadLength(),
                frame.recordCount(),
                frame.epoch());
        int headBytes = Math.min(frame.payloadLength(), IndexRow.HEAD_BYTES_MAX);
        view.get(at + FrameFormat.HEADER_BYTES, row, IndexRow.HEAD_AT, headBytes);
        return row;
    }

    @Override
    public long extentId() {
        return extentId;
    }

    @Override
    public ByteBuf bytes() {
        return bytes;
    }

    @Override
    public long[] streams() {
        return index.streams(Long.MAX_VALUE);
    }

    @Override
    public List<FrameEntry> frames(long streamId) {
        if (closed.get()) {
            throw new IllegalStateException(
                    "extent " + extentId + " is closed: its buffer may hold another one by now");
        }
        try {
            return index.query(streamId, rows -> RowSearch.entries(rows, streamId, Long.MAX_VALUE));
        } catch (IOException impossible) {
            throw new UncheckedIOException("rows of an extent in memory", impossible);
        }
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            bytes.release();
        }
    }
}
