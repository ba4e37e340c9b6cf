package io.catchment.wal.lane;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.format.FrameRows;
import io.catchment.wal.format.IndexRow;
import io.catchment.wal.replica.WriteGroup;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/**
 * Frames gathered for one write. Filled and reused by the lane's loop; only read while replicas work on it.
 *
 * <p>Small payloads are copied behind their headers into staging pages: cheaper than an entry of a gathering write, and the
 * checksum runs once over header and payload. Large payloads are written from where they lie. A group takes only as many
 * pages as it needs: a slow replica may keep many small groups waiting.
 */
final class EncodedGroup implements WriteGroup {
    private static final int PAGES_MAX = 8;
    private static final int COPIED_PAYLOAD_BYTES_MAX = 4 << 10;

    private final Pages pages;
    private final List<Pages.Page> taken = new ArrayList<>(PAGES_MAX);
    private Pages.@Nullable Page page;

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
    /** Asks the quorum only; nobody waits for it. */
    boolean noop;

    long sentNanos;

    EncodedGroup(Pages pages, Checksum checksum) {
        this.pages = pages;
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
        noop = false;
        // The listener may keep the list it was given.
        frames = new ArrayList<>(Math.max(16, frames.size()));
    }

    /** Adds a frame if there is room for its staged bytes. */
    boolean add(Frame frame, @Nullable Object context) {
        ByteBuf payload = frame.payload();
        int length = payload.readableBytes();
        boolean copied = length <= COPIED_PAYLOAD_BYTES_MAX;
        int stagedBytes = (int) (FrameFormat.frameBytes(length) - (copied ? 0 : length));
        Pages.Page into = room(stagedBytes);
        if (into == null) {
            return false;
        }
        long framePosition = position + bytes;
        FrameFormat.putHeader(
                into.view.clear(),
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
            copy(into, payload, length);
        } else {
            reference(into.view, payload, length);
        }
        staged += stagedBytes;
        bytes += FrameFormat.frameBytes(length);
        addRow(frame, framePosition, payload, length);
        frames.add(new Acknowledged(frame, extentId, framePosition, context));
        return true;
    }

    private Pages.@Nullable Page room(int stagedBytes) {
        Pages.Page now = page;
        if (now != null && stagedBytes <= Pages.BYTES - staged) {
            return now;
        }
        if (taken.size() == PAGES_MAX) {
            return null;
        }
        endPage();
        now = pages.take();
        taken.add(now);
        page = now;
        staged = 0;
        segmentStart = 0;
        return now;
    }

    private void copy(Pages.Page into, ByteBuf payload, int length) {
        ByteBuffer view = into.view;
        int payloadAt = staged + FrameFormat.HEADER_BYTES;
        into.bytes.setBytes(payloadAt, payload, payload.readerIndex(), length);
        pad(view, payloadAt + length, length);
        checksum.reset();
        FrameFormat.updateWithFrame(checksum, view, staged, length);
        FrameFormat.putCrc(view.clear(), staged, (int) checksum.getValue());
    }

    private void reference(ByteBuffer view, ByteBuf payload, int length) {
        int headerEnd = staged + FrameFormat.HEADER_BYTES;
        checksum.reset();
        FrameFormat.updateWithHeader(checksum, view, staged);
        ByteBuffer[] parts = payload.nioBuffers();
        for (ByteBuffer part : parts) {
            checksum.update(part.duplicate());
        }
        FrameFormat.putCrc(view.clear(), staged, (int) checksum.getValue());
        endSegment(view, headerEnd);
        segments.addAll(List.of(parts));
        pad(view, headerEnd, length);
    }

    private static void pad(ByteBuffer view, int at, int payloadLength) {
        int unpadded = FrameFormat.HEADER_BYTES + payloadLength;
        for (int i = 0; i < FrameFormat.align(unpadded) - unpadded; i++) {
            view.put(at + i, (byte) 0);
        }
    }

    private void endPage() {
        Pages.Page last = page;
        if (last != null) {
            endSegment(last.view.clear(), staged);
        }
    }

    private void endSegment(ByteBuffer view, int end) {
        if (end > segmentStart) {
            segments.add(view.duplicate().clear().limit(end).position(segmentStart));
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
        endPage();
    }

    /** What is kept in memory while a replica has not answered. */
    long memoryBytes() {
        return bytes + (long) taken.size() * Pages.BYTES;
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
        taken.forEach(pages::giveBack);
        taken.clear();
        page = null;
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
