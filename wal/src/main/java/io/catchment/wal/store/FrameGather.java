package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.format.FrameHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.Checksum;

/** Reads planned frames with few disk reads and verifies each (W6). Used once, by the thread that reads. */
final class FrameGather {
    /** Frames closer than this are read together: skipping that much costs less than a second read. */
    private static final int GAP_BYTES_MAX = 16 << 10;

    private static final int SPAN_BYTES_MAX = 1 << 20;
    /** Smaller payloads are packed into one buffer; a slice for each would cost more than the copy. */
    private static final int PACKED_PAYLOAD_BYTES_MAX = 4 << 10;

    private final long extentId;
    private final DiskFile file;
    private final ByteBufAllocator allocator;
    private final Checksum checksum;

    FrameGather(long extentId, DiskFile file, ByteBufAllocator allocator, Checksum checksum) {
        this.extentId = extentId;
        this.file = file;
        this.allocator = allocator;
        this.checksum = checksum;
    }

    /** The payloads of the plan's frames one after the other. The caller releases the buffer. */
    ByteBuf read(ReadPlan plan, long streamId) throws IOException {
        int firstEnd = spanEnd(plan, 0);
        if (firstEnd == plan.count()) {
            return readSpan(plan, 0, firstEnd, streamId);
        }
        CompositeByteBuf all = allocator.compositeDirectBuffer(Integer.MAX_VALUE);
        boolean complete = false;
        try {
            for (int from = 0; from < plan.count(); from = spanEnd(plan, from)) {
                all.addComponent(true, readSpan(plan, from, spanEnd(plan, from), streamId));
            }
            complete = true;
            return all;
        } finally {
            if (!complete) {
                all.release();
            }
        }
    }

    private static int spanEnd(ReadPlan plan, int from) {
        int to = from + 1;
        while (to < plan.count()
                && plan.position(to) - end(plan, to - 1) <= GAP_BYTES_MAX
                && end(plan, to) - plan.position(from) <= SPAN_BYTES_MAX) {
            to++;
        }
        return to;
    }

    private static long end(ReadPlan plan, int i) {
        return plan.position(i) + FrameFormat.HEADER_BYTES + plan.payloadLength(i);
    }

    private ByteBuf readSpan(ReadPlan plan, int from, int to, long streamId) throws IOException {
        long start = plan.position(from);
        int bytes = Math.toIntExact(end(plan, to - 1) - start);
        ByteBuf span = allocator.directBuffer(bytes, bytes);
        try {
            ByteBuffer view = span.internalNioBuffer(0, bytes);
            int zero = view.position();
            if (file.read(start, view) < bytes) {
                throw new CorruptExtentException("extent " + extentId + " ends before its index does", 0);
            }
            for (int i = from; i < to; i++) {
                verify(plan, i, streamId, view, zero + (int) (plan.position(i) - start));
            }
            return payloads(plan, from, to, span);
        } finally {
            span.release();
        }
    }

    private void verify(ReadPlan plan, int i, long streamId, ByteBuffer bytes, int at) throws CorruptExtentException {
        bytes.limit(bytes.capacity());
        FrameHeader frame = FrameFormat.header(bytes, at, extentId, plan.position(i));
        if (frame != null
                && frame.payloadLength() == plan.payloadLength(i)
                && frame.streamId() == streamId
                && frame.baseOffset() == plan.baseOffset(i)) {
            checksum.reset();
            FrameFormat.updateWithFrame(checksum, bytes, at, frame.payloadLength());
            if ((int) checksum.getValue() == frame.crc()) {
                return;
            }
        }
        throw new CorruptExtentException(
                "extent " + extentId + ": the frame at " + plan.position(i) + " of stream " + streamId + ", offset "
                        + plan.baseOffset(i) + ", is not what was written",
                0);
    }

    private ByteBuf payloads(ReadPlan plan, int from, int to, ByteBuf span) {
        long start = plan.position(from);
        if (to - from == 1) {
            return span.retainedSlice(FrameFormat.HEADER_BYTES, plan.payloadLength(from));
        }
        int total = 0;
        for (int i = from; i < to; i++) {
            total += plan.payloadLength(i);
        }
        boolean packed = total / (to - from) < PACKED_PAYLOAD_BYTES_MAX;
        ByteBuf all =
                packed ? allocator.directBuffer(total, total) : allocator.compositeDirectBuffer(Integer.MAX_VALUE);
        for (int i = from; i < to; i++) {
            int at = (int) (plan.position(i) - start) + FrameFormat.HEADER_BYTES;
            if (all instanceof CompositeByteBuf composite) {
                composite.addComponent(true, span.retainedSlice(at, plan.payloadLength(i)));
            } else {
                all.writeBytes(span, at, plan.payloadLength(i));
            }
        }
        return all;
    }
}
