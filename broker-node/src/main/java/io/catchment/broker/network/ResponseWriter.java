package io.catchment.broker.network;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Writable;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.UnalignedMemoryRecords;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.ShareFetchResponse;
import org.jspecify.annotations.Nullable;

/**
 * Serialises one response frame, size prefix included, into pieces for a gathering write: everything but the records goes into
 * one buffer, which is cut where records come in. The bytes are those of Kafka's SendBuilder. Used by one thread, once.
 *
 * <p>A small frame becomes a single piece instead, records copied: a few hundred bytes cost less to copy than one more
 * entry in the socket's gather list.
 */
final class ResponseWriter implements Writable {
    /** Up to this size a frame is written as one piece. */
    static final int ONE_PIECE_BYTES_MAX = 4 * 1024;

    private final ByteBuf fixed;
    private final boolean onePiece;
    private final List<ByteBuf> pieces;
    private int cutAt;

    private ResponseWriter(ByteBuf fixed, boolean onePiece, List<ByteBuf> pieces) {
        this.fixed = fixed;
        this.onePiece = onePiece;
        this.pieces = pieces;
    }

    /**
     * Appends the frame to {@code pieces}, each with one reference for the receiver; those of {@link ByteBufRecords} pass into
     * them. When it throws, nothing is appended, and records it had not come to still have theirs ({@link #release}).
     *
     * @return the frame's length
     */
    static int write(
            ByteBufAllocator allocator,
            Message header,
            short headerVersion,
            Message body,
            short version,
            List<ByteBuf> pieces) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        MessageSizeAccumulator size = new MessageSizeAccumulator();
        header.addSize(size, cache, headerVersion);
        body.addSize(size, cache, version);
        int total = size.totalSize() + 4;
        boolean onePiece = total <= ONE_PIECE_BYTES_MAX;
        int fixedBytes = onePiece ? total : size.sizeExcludingZeroCopy() + 4;
        ByteBuf fixed = allocator.directBuffer(fixedBytes, fixedBytes);
        ResponseWriter writer = new ResponseWriter(fixed, onePiece, pieces);
        int firstPiece = pieces.size();
        try {
            fixed.writeInt(size.totalSize());
            header.write(writer, cache, headerVersion);
            body.write(writer, cache, version);
            writer.finish();
            return total;
        } catch (RuntimeException | Error e) {
            while (pieces.size() > firstPiece) {
                pieces.remove(pieces.size() - 1).release();
            }
            throw e;
        } finally {
            fixed.release();
        }
    }

    private void finish() {
        if (fixed.isWritable()) {
            throw new IllegalStateException(
                    "response is " + fixed.writableBytes() + " bytes shorter than its computed size");
        }
        cut();
    }

    /** What was written to the fixed buffer since the last cut becomes a piece. */
    private void cut() {
        int end = fixed.writerIndex();
        if (end > cutAt) {
            pieces.add(fixed.retainedSlice(cutAt, end - cutAt));
            cutAt = end;
        }
    }

    private void splice(ByteBuf bytes) {
        if (!bytes.isReadable()) {
            // nothing to write: no cut, and no entry in the gather list
            bytes.release();
        } else if (onePiece) {
            try {
                fixed.writeBytes(bytes);
            } finally {
                bytes.release();
            }
        } else {
            cut();
            pieces.add(bytes);
        }
    }

    /** For a response that will not be written (any more): gives up the references of the {@link ByteBufRecords} in it. */
    static void release(AbstractResponse response) {
        if (response instanceof FetchResponse fetch) {
            fetch.data().responses().forEach(topic -> topic.partitions().forEach(p -> release(p.records())));
        } else if (response instanceof ShareFetchResponse fetch) {
            fetch.data().responses().forEach(topic -> topic.partitions().forEach(p -> release(p.records())));
        }
    }

    private static void release(@Nullable BaseRecords records) {
        if (records instanceof ByteBufRecords ours) {
            ours.release();
        }
    }

    @Override
    public void writeRecords(BaseRecords records) {
        if (records instanceof ByteBufRecords ours) {
            splice(ours.take());
        } else if (records instanceof MemoryRecords memory) {
            splice(Unpooled.wrappedBuffer(memory.buffer()));
        } else if (records instanceof UnalignedMemoryRecords memory) {
            splice(Unpooled.wrappedBuffer(memory.buffer()));
        } else {
            throw new IllegalArgumentException("cannot write records of " + records.getClass());
        }
    }

    @Override
    public void writeByteBuffer(ByteBuffer bytes) {
        splice(Unpooled.wrappedBuffer(bytes.duplicate()));
    }

    @Override
    public void writeByte(byte value) {
        fixed.writeByte(value);
    }

    @Override
    public void writeShort(short value) {
        fixed.writeShort(value);
    }

    @Override
    public void writeInt(int value) {
        fixed.writeInt(value);
    }

    @Override
    public void writeLong(long value) {
        fixed.writeLong(value);
    }

    @Override
    public void writeDouble(double value) {
        fixed.writeDouble(value);
    }

    @Override
    public void writeByteArray(byte[] value) {
        fixed.writeBytes(value);
    }

    @Override
    public void writeUnsignedVarint(int value) {
        int rest = value;
        while ((rest & 0xFFFFFF80) != 0) {
            fixed.writeByte((rest & 0x7F) | 0x80);
            rest >>>= 7;
        }
        fixed.writeByte(rest);
    }

    @Override
    public void writeVarint(int value) {
        writeUnsignedVarint((value << 1) ^ (value >> 31));
    }

    @Override
    public void writeVarlong(long value) {
        long rest = (value << 1) ^ (value >> 63);
        while ((rest & 0xFFFFFFFFFFFFFF80L) != 0) {
            fixed.writeByte((int) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        fixed.writeByte((int) rest);
    }
}
