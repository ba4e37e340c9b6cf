package io.catchment.broker.merge;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.BundleBuilder;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/**
 * A range's batches as payloads of a new bundle: pieces of some batches each, so that its index has entries to begin at. Between batches offsets
 * may be missing, which compaction took away: a piece begins where the one before ended, so that one who looks for a missing offset finds the
 * batch that follows.
 */
public final class BatchPieces {
    private static final int PIECE_BYTES = 64 << 10;

    private BatchPieces() {}

    /**
     * Adds the whole range to the stream that the builder is in. Bytes that are no row of batches from its base to its end offset go as one
     * piece: they were acknowledged as they are. Its last batch ends where the range does.
     *
     * @param bytes of the range, in one piece of memory; stays the caller's
     */
    static void add(StreamRange range, ByteBuf bytes, BundleBuilder builder) {
        ByteBuffer nio = bytes.nioBuffer();
        if (!isRowOfBatches(range, nio)) {
            builder.payload(
                    range.baseOffset(),
                    range.endOffset(),
                    range.maxEventTimeMs(),
                    range.maxAppendTimeMs(),
                    bytes.retainedSlice());
            return;
        }
        addRow(range.baseOffset(), range.maxAppendTimeMs(), bytes, builder);
    }

    /**
     * Adds whole batches.
     *
     * @param baseOffset where the offsets of the first piece begin; its first batch may begin later
     * @param bytes in one piece of memory; stays the caller's
     * @return the end of the last batch
     */
    public static long addRow(long baseOffset, long maxAppendTimeMs, ByteBuf bytes, BundleBuilder builder) {
        ByteBuffer nio = bytes.nioBuffer();
        long begin = baseOffset;
        int from = 0;
        int at = 0;
        long newestMs = Long.MIN_VALUE;
        while (at < nio.limit()) {
            newestMs = Math.max(newestMs, BatchHeader.maxTimestamp(nio, at));
            long end = BatchHeader.lastOffset(nio, at) + 1;
            at += BatchHeader.sizeInBytes(nio, at);
            if (at - from >= PIECE_BYTES || at == nio.limit()) {
                builder.payload(
                        begin,
                        end,
                        newestMs,
                        maxAppendTimeMs,
                        bytes.retainedSlice(bytes.readerIndex() + from, at - from));
                begin = end;
                from = at;
                newestMs = Long.MIN_VALUE;
            }
        }
        return begin;
    }

    private static boolean isRowOfBatches(StreamRange range, ByteBuffer nio) {
        long offset = range.baseOffset();
        int at = 0;
        while (at < nio.limit()) {
            int left = nio.limit() - at;
            int size = left < BatchHeader.BYTES ? -1 : BatchHeader.sizeInBytes(nio, at);
            if (size < BatchHeader.BYTES || size > left || BatchHeader.baseOffset(nio, at) < offset) {
                return false;
            }
            offset = BatchHeader.lastOffset(nio, at) + 1;
            at += size;
        }
        return offset == range.endOffset();
    }
}
