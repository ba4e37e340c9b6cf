package io.catchment.broker.compaction;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.merge.BatchPieces;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.objectstore.bundle.BundleWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.utils.internals.BufferSupplier;

/** What stays of some consecutive ranges, as one range of a new object. Owned by the loop; closed by whoever made it. */
final class CompactedGroup implements AutoCloseable {
    private final ByteBufAllocator allocator;
    private final BundleWriter writer;
    private final Retained retained;
    private final BufferSupplier buffers = BufferSupplier.create();
    private final List<StreamRange> inputs = new ArrayList<>();
    private ByteBuffer filtered = ByteBuffer.allocate(64 << 10);
    private long inputBytes;
    private long nextOffset = -1;
    private int leaderEpoch;
    private long removed;
    private boolean changed;

    CompactedGroup(ByteBufAllocator allocator, long streamId, Retained retained) {
        this.allocator = allocator;
        this.writer = new BundleWriter(allocator);
        this.retained = retained;
        writer.stream(streamId);
    }

    /** What follows are batches of this range. */
    void begin(StreamRange range) {
        if (inputs.isEmpty()) {
            nextOffset = range.baseOffset();
        } else {
            changed = true;
        }
        inputs.add(range);
        inputBytes += range.length();
    }

    /** Whole batches of the range that was begun last, in order. */
    boolean take(ByteBuffer batches) {
        StreamRange range = inputs.get(inputs.size() - 1);
        int begin = batches.position();
        int known = begin;
        int end = begin;
        int at = begin;
        while (at < batches.limit()) {
            int next = at + BatchHeader.sizeInBytes(batches, at);
            leaderEpoch = BatchHeader.leaderEpoch(batches, at);
            if (retained.knows(BatchHeader.baseOffset(batches, at))) {
                known = next;
            }
            // Marks are written anew where they are needed
            boolean isLastMark = next == batches.limit() && EndMark.isAt(batches, at);
            end = isLastMark ? at : next;
            at = next;
        }
        filter(range, batches.slice(begin, Math.min(known, end) - begin));
        if (end > known) {
            add(range, batches.slice(known, end - known));
        }
        return true;
    }

    /** Step by step: a filter ends early when it had to make its output larger. */
    private void filter(StreamRange range, ByteBuffer input) {
        while (input.hasRemaining()) {
            filtered.clear();
            MemoryRecords.FilterResult result = MemoryRecords.readableRecords(input.slice())
                    .filterTo(retained, filtered, buffers, Integer.MAX_VALUE);
            filtered = result.outputBuffer();
            filtered.flip();
            if (result.bytesRead() <= 0) {
                throw new IllegalStateException("the filter has read nothing of " + input.remaining() + " bytes");
            }
            ByteBuffer read = input.slice(input.position(), result.bytesRead());
            input.position(input.position() + result.bytesRead());
            removed += result.messagesRead() - result.messagesRetained();
            changed |= filtered.mismatch(read) >= 0;
            if (filtered.hasRemaining()) {
                add(range, filtered);
            }
        }
    }

    private void add(StreamRange range, ByteBuffer bytes) {
        ByteBuf copy = allocator.directBuffer(bytes.remaining()).writeBytes(bytes);
        try {
            nextOffset = BatchPieces.addRow(nextOffset, range.maxAppendTimeMs(), copy, writer);
        } finally {
            copy.release();
        }
    }

    List<StreamRange> inputs() {
        return inputs;
    }

    long inputBytes() {
        return inputBytes;
    }

    long outputBytes() {
        return writer.bytes();
    }

    long removed() {
        return removed;
    }

    /** Whether it would be, byte for byte, the one range it is made of. */
    boolean isUnchanged() {
        return !changed;
    }

    /** All inputs are taken. The caller gets the body. */
    BundleBuilder.Built build() {
        StreamRange last = inputs.get(inputs.size() - 1);
        if (nextOffset < last.endOffset()) {
            ByteBuffer mark = ByteBuffer.allocate(EndMark.BYTES);
            EndMark.write(mark, last.endOffset() - 1, leaderEpoch);
            mark.flip();
            add(last, mark);
        }
        return writer.build();
    }

    @Override
    public void close() {
        writer.close();
        buffers.close();
    }
}
