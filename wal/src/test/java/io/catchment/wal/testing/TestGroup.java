package io.catchment.wal.testing;

import io.catchment.wal.FrameKind;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.format.FrameRows;
import io.catchment.wal.format.IndexRow;
import io.catchment.wal.replica.WriteGroup;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** DATA frames with one record each, as one write, for a store without a lane. */
public final class TestGroup implements WriteGroup {
    private static final long WRITER_EPOCH = 1;

    private final long extentId;
    private final long position;
    private final int frames;
    private final int streams;
    private final ByteBuffer bytes;
    private final FrameRows rows = new FrameRows();

    /** Of stream 1, from an offset on. */
    public TestGroup(long extentId, long position, long firstOffset, int frames, int payloadBytes) {
        this(extentId, position, firstOffset, frames, payloadBytes, 1);
    }

    /** Frame number n is offset n / streams of stream 1 + n % streams. */
    public TestGroup(long extentId, long position, long firstNumber, int frames, int payloadBytes, int streams) {
        this.extentId = extentId;
        this.position = position;
        this.frames = frames;
        this.streams = streams;
        int frameBytes = Math.toIntExact(FrameFormat.frameBytes(payloadBytes));
        this.bytes = ByteBuffer.allocate(frames * frameBytes);
        for (int i = 0; i < frames; i++) {
            add(i * frameBytes, firstNumber + i, payloadBytes);
        }
    }

    private void add(int at, long number, int payloadBytes) {
        long stream = 1 + number % streams;
        long offset = number / streams;
        byte[] payload = Frames.bytes(stream, offset, payloadBytes);
        FrameFormat.putHeader(bytes, at, FrameKind.DATA, payloadBytes, at, extentId, stream, offset, number, 1, 1);
        bytes.put(at + FrameFormat.HEADER_BYTES, payload);
        CRC32C crc = new CRC32C();
        FrameFormat.updateWithFrame(crc, bytes, at, payloadBytes);
        bytes.clear();
        FrameFormat.putCrc(bytes, at, (int) crc.getValue());
        int headAt = rows.add(FrameKind.DATA, stream, offset, number, position + at, payloadBytes, 1, 1);
        System.arraycopy(payload, 0, rows.bytes(), headAt, Math.min(payloadBytes, IndexRow.HEAD_BYTES_MAX));
    }

    @Override
    public long extentId() {
        return extentId;
    }

    @Override
    public long writerEpoch() {
        return WRITER_EPOCH;
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public long endPosition() {
        return position + bytes.capacity();
    }

    @Override
    public int frames() {
        return frames;
    }

    @Override
    public ByteBuffer[] buffers() {
        return new ByteBuffer[] {bytes.duplicate()};
    }

    @Override
    public FrameRows rows() {
        return rows;
    }
}
