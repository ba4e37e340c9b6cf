package io.catchment.broker.flush;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.catchment.wal.LoadedExtent;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns a loaded extent into a bundle: its frames grouped by stream, each stream's newest checkpoint behind them. */
final class ExtentBundle {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentBundle.class);

    private ExtentBundle() {}

    /**
     * The builder stays the caller's.
     *
     * @param fromOffsets the streams that are wanted, each with the end of what is published of it: frames before that are left out
     */
    static BundleBuilder.Built build(LoadedExtent extent, Map<Long, Long> fromOffsets, BundleBuilder builder) {
        ByteBuf bytes = extent.bytes();
        ByteBuffer nio = bytes.nioBuffer(0, bytes.writerIndex());
        long[] streams = extent.streams().clone();
        Arrays.sort(streams);
        for (long stream : streams) {
            Long from = fromOffsets.get(stream);
            if (from != null) {
                addStream(stream, extent.frames(stream), from, bytes, nio, builder);
            }
        }
        return builder.build();
    }

    private static void addStream(
            long stream,
            List<FrameEntry> frames,
            long fromOffset,
            ByteBuf bytes,
            ByteBuffer nio,
            BundleBuilder builder) {
        builder.stream(stream);
        FrameEntry checkpoint = null;
        for (FrameEntry frame : frames) {
            if (frame.kind() == FrameKind.DATA) {
                if (frame.endOffset() > fromOffset) {
                    builder.payload(
                            frame.baseOffset(),
                            frame.endOffset(),
                            maxTimestampMs(nio, frame),
                            frame.appendTimeMs(),
                            slice(bytes, frame));
                }
            } else if (frame.kind() == FrameKind.CHECKPOINT
                    && (checkpoint == null || frame.baseOffset() >= checkpoint.baseOffset())) {
                checkpoint = frame;
            }
        }
        if (checkpoint != null) {
            builder.checkpoint(checkpoint.baseOffset(), slice(bytes, checkpoint));
        }
    }

    private static ByteBuf slice(ByteBuf bytes, FrameEntry frame) {
        return bytes.retainedSlice(Math.toIntExact(frame.payloadPosition()), frame.payloadLength());
    }

    /**
     * The newest event time of the frame's batches, by their headers. Bytes that are no row of batches were acknowledged all the same: they are
     * published as they are, with the time of their arrival, so that they hold up nobody; whoever reads them sees what they are.
     */
    private static long maxTimestampMs(ByteBuffer nio, FrameEntry frame) {
        int at = Math.toIntExact(frame.payloadPosition());
        int end = at + frame.payloadLength();
        long newest = Long.MIN_VALUE;
        while (at < end) {
            int left = end - at;
            int size = left < BatchHeader.BYTES ? -1 : BatchHeader.sizeInBytes(nio, at);
            if (size < BatchHeader.BYTES || size > left) {
                LOG.error(
                        "The frame of stream {} with offsets {} to {} is no row of batches at byte {} of {}: published as it is",
                        frame.streamId(),
                        frame.baseOffset(),
                        frame.endOffset(),
                        frame.payloadLength() - left,
                        frame.payloadLength());
                return Math.max(newest, frame.appendTimeMs());
            }
            newest = Math.max(newest, BatchHeader.maxTimestamp(nio, at));
            at += size;
        }
        return newest;
    }
}
