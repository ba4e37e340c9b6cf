package io.catchment.wal.lane;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.format.FrameRows;
import io.catchment.wal.format.IndexRow;
import io.catchment.wal.replica.WriteGroup;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/**
 * Frames gathered for one write. Filled and reused by the lane's loop; only read while replicas work on it.
 *
 * <p>Small payloads are copied behind their headers into one staging buffer: cheaper than an entry of a gathering write, and
 * the checksum runs once over header and payload. Large payloads are written from where they lie.
 */
final class EncodedGroup implements WriteGroup {
    private static final int STAGING_BYTES = 256 << 10;
    private static final int COPIED_PAYLOAD_BYTES_MAX = 4 << 10;

    private final ByteBuffer view = ByteBuffer.allocateDirect(STAGING_BYTES);
    /** The same memory, to copy payloads into. */
    private final ByteBuf staging = Unpooled.wrappedBuffer(view);

    private final Checksum checksum;
    private final FrameRows rows = new FrameRows();
    private final List<ByteBuffer> segments = new ArrayList<>();
    private List<Acknowledged> frames = new ArrayList<>();
    private long extentId;
    private long writerEpoch;
    private long position;
    private long bytes;
    private int staged;
    private int segmentStart;

    /** Replicas that have not answered yet. */
    int answersPending;
    /** Whether one reference of each payload is to be released when the last replica has answered. */
    boolean done;

    EncodedGroup(Checksum checksum) {
        this.checksum = checksum;
    }

    void begin(long extentId, long writerEpoch, long position) {
        this.extentId = extentId;
        this.writerEpoch = writerEpoch;
        this.position = position;
        bytes = 0;
        staged = 0;
        segmentStart = 0;
        segments.clear();
        rows.clear();
        done = false;
        // The listener may keep the list it was given.
        frames = new ArrayList<>(Math.max(16, frames.size()));
    }

    /** Adds a frame if the staging buffer has room for it. */
    boolean add(Frame frame, @Nullable Object context) {
        ByteBuf payload = frame.payload();
        int length = payload.readableBytes();
        boolean copied = length <= COPIED_PAYLOAD_BYTES_MAX;
        int stagedBytes = (int) (FrameFormat.frameBytes(length) - (copied ? 0 : length));
        if (stagedBytes > STAGING_BYTES - staged) {
            return false;
        }
        long framePosition = position + bytes;
        FrameFormat.putHeader(
                view.clear(),
                staged,
                frame.kind(),
                length,
                Math.toIntExact(bytes),
                extentId,
                frame.streamId(),
                frame.baseOffset(),
                frame.appendTimeMs(),
                frame.epoch(),
                frame.recordCount());
        if (copied) {
            copy(payload, length);
        } else {
            reference(payload, length);
        }
        staged += stagedBytes;
        bytes += FrameFormat.frameBytes(length);
        addRow(frame, framePosition, payload, length);
        frames.add(new Acknowledged(frame, extentId, framePosition, context));
        return true;
    }

    private void copy(ByteBuf payload, int length) {
        int payloadAt = staged + FrameFormat.HEADER_BYTES;
        staging.setBytes(payloadAt, payload, payload.readerIndex(), length);
        pad(payloadAt + length, length);
        checksum.reset();
        FrameFormat.updateWithFrame(checksum, view, staged, length);
        FrameFormat.putCrc(view.clear(), staged, (int) checksum.getValue());
    }

    private void reference(ByteBuf payload, int length) {
        int headerEnd = staged + FrameFormat.HEADER_BYTES;
        checksum.reset();
        FrameFormat.updateWithHeader(checksum, view, staged);
        ByteBuffer[] parts = payload.nioBuffers();
        for (ByteBuffer part : parts) {
            checksum.update(part.duplicate());
        }
        FrameFormat.putCrc(view.clear(), staged, (int) checksum.getValue());
        endSegment(headerEnd);
        segments.addAll(List.of(parts));
        pad(headerEnd, length);
    }

    private void pad(int at, int payloadLength) {
        int unpadded = FrameFormat.HEADER_BYTES + payloadLength;
        for (int i = 0; i < FrameFormat.align(unpadded) - unpadded; i++) {
            view.put(at + i, (byte) 0);
        }
    }

    private void endSegment(int end) {
        if (end > segmentStart) {
            segments.add(view.duplicate().limit(end).position(segmentStart));
        }
        segmentStart = end;
    }

    private void addRow(Frame frame, long framePosition, ByteBuf payload, int length) {
        if (frame.kind() == FrameKind.NOOP) {
            return;
        }
        int headAt = rows.add(
                frame.kind(),
                frame.streamId(),
                frame.baseOffset(),
                frame.appendTimeMs(),
                framePosition,
                length,
                frame.recordCount(),
                frame.epoch());
        payload.getBytes(payload.readerIndex(), rows.bytes(), headAt, Math.min(length, IndexRow.HEAD_BYTES_MAX));
    }

    void end() {
        view.clear();
        endSegment(staged);
    }

    boolean isEmpty() {
        return frames.isEmpty();
    }

    long bytes() {
        return bytes;
    }

    List<Acknowledged> acknowledgements() {
        return frames;
    }

    /** Drops what keeps payloads alive. */
    void clear() {
        segments.clear();
        frames = new ArrayList<>(Math.max(16, frames.size()));
    }

    void retainPayloads() {
        frames.forEach(frame -> frame.frame().payload().retain());
    }

    void releasePayloads() {
        frames.forEach(frame -> frame.frame().payload().release());
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
        return frames.size();
    }

    @Override
    public ByteBuffer[] buffers() {
        ByteBuffer[] buffers = new ByteBuffer[segments.size()];
        for (int i = 0; i < buffers.length; i++) {
            buffers[i] = segments.get(i).duplicate();
        }
        return buffers;
    }

    @Override
    public FrameRows rows() {
        return rows;
    }
}
