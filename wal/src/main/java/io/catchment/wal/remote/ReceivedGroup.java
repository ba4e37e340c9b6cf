package io.catchment.wal.remote;

import io.catchment.wal.FrameKind;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.format.FrameHeader;
import io.catchment.wal.format.FrameRows;
import io.catchment.wal.format.IndexRow;
import io.catchment.wal.replica.WriteGroup;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/**
 * A group as it came over the wire, in the buffers the socket was read into. Filled by {@link #verify}, which the thread that
 * writes it calls: each frame's checksum is compared before a byte reaches the disk, and the index rows are made on the way.
 */
final class ReceivedGroup implements WriteGroup {
    private final long extentId;
    private final long writerEpoch;
    private final long position;
    private final int frames;
    private final int bytes;
    private final ByteBuffer[] parts;
    private final Checksum checksum;
    private final FrameRows rows = new FrameRows();
    /** A frame header that lies across two buffers. */
    private final ByteBuffer scratch = ByteBuffer.allocate(FrameFormat.HEADER_BYTES);

    private final byte[] head = new byte[IndexRow.HEAD_BYTES_MAX];
    private int part;

    /** @param payload stays retained by the caller until the write was answered */
    ReceivedGroup(long extentId, long writerEpoch, long position, int frames, ByteBuf payload, Checksum checksum)
            throws ProtocolException {
        this.extentId = extentId;
        this.writerEpoch = writerEpoch;
        this.position = position;
        this.frames = frames;
        this.bytes = payload.readableBytes();
        this.checksum = checksum;
        if (position < ExtentHeader.BYTES || bytes == 0 || position > Integer.MAX_VALUE - bytes) {
            throw new ProtocolException("a write of " + bytes + " bytes at " + position + " of extent " + extentId);
        }
        this.parts = payload.nioBuffers();
    }

    @Override
    public void verify() throws ProtocolException {
        ByteBuffer[] unread = buffers();
        rows.clear();
        part = 0;
        long at = position;
        int count = 0;
        while (at < endPosition()) {
            at += frame(unread, at);
            count++;
        }
        if (count != frames) {
            throw new ProtocolException(
                    "a write to extent " + extentId + " has " + count + " frames, announced were " + frames);
        }
    }

    private long frame(ByteBuffer[] unread, long at) throws ProtocolException {
        long left = endPosition() - at;
        if (left < FrameFormat.HEADER_BYTES) {
            throw broken(at);
        }
        FrameHeader frame = header(unread, at);
        if (frame == null || frame.frameBytes() > left || frame.groupStart() != position) {
            throw broken(at);
        }
        int headBytes = Math.min(frame.payloadLength(), IndexRow.HEAD_BYTES_MAX);
        checkPayload(unread, frame.payloadLength(), headBytes);
        if ((int) checksum.getValue() != frame.crc()) {
            throw broken(at);
        }
        skip(unread, (int) (frame.frameBytes() - FrameFormat.HEADER_BYTES) - frame.payloadLength());
        if (frame.kind() != FrameKind.NOOP) {
            int headAt = rows.add(
                    frame.kind(),
                    frame.streamId(),
                    frame.baseOffset(),
                    frame.appendTimeMs(),
                    at,
                    frame.payloadLength(),
                    frame.recordCount(),
                    frame.epoch());
            System.arraycopy(head, 0, rows.bytes(), headAt, headBytes);
        }
        return frame.frameBytes();
    }

    private ProtocolException broken(long at) {
        return new ProtocolException(
                "a write to extent " + extentId + " at " + position + " has no valid frame at " + at + " (W3)");
    }

    /** Reads a header and begins its checksum. */
    private @Nullable FrameHeader header(ByteBuffer[] unread, long at) {
        ByteBuffer now = current(unread);
        if (now.remaining() >= FrameFormat.HEADER_BYTES) {
            int index = now.position();
            FrameHeader header = FrameFormat.header(now, index, extentId, at);
            int limit = now.limit();
            checksum.reset();
            FrameFormat.updateWithHeader(checksum, now, index);
            now.limit(limit).position(index + FrameFormat.HEADER_BYTES);
            return header;
        }
        scratch.clear();
        while (scratch.hasRemaining()) {
            now = current(unread);
            int step = Math.min(scratch.remaining(), now.remaining());
            scratch.put(now.duplicate().limit(now.position() + step));
            now.position(now.position() + step);
        }
        FrameHeader header = FrameFormat.header(scratch, 0, extentId, at);
        checksum.reset();
        FrameFormat.updateWithHeader(checksum, scratch, 0);
        return header;
    }

    private void checkPayload(ByteBuffer[] unread, int payloadLength, int headBytes) {
        int left = payloadLength;
        int headLeft = headBytes;
        while (left > 0) {
            ByteBuffer now = current(unread);
            int step = Math.min(left, now.remaining());
            int headStep = Math.min(headLeft, step);
            now.get(now.position(), head, headBytes - headLeft, headStep);
            headLeft -= headStep;
            int limit = now.limit();
            checksum.update(now.limit(now.position() + step));
            now.limit(limit);
            left -= step;
        }
    }

    private void skip(ByteBuffer[] unread, int count) {
        int left = count;
        while (left > 0) {
            ByteBuffer now = current(unread);
            int step = Math.min(left, now.remaining());
            now.position(now.position() + step);
            left -= step;
        }
    }

    /** The first buffer with bytes left; there is one, lengths were compared before. */
    private ByteBuffer current(ByteBuffer[] unread) {
        while (!unread[part].hasRemaining()) {
            part++;
        }
        return unread[part];
    }

    @Override
    public long extentId() {
        return extentId;
    }

    @Override
    public long writerEpoch() {
        return writerEpoch;
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public long endPosition() {
        return position + bytes;
    }

    @Override
    public int frames() {
        return frames;
    }

    @Override
    public ByteBuffer[] buffers() {
        ByteBuffer[] views = new ByteBuffer[parts.length];
        for (int i = 0; i < views.length; i++) {
            views[i] = parts[i].duplicate();
        }
        return views;
    }

    @Override
    public FrameRows rows() {
        return rows;
    }
}
