package io.catchment.wal.remote;

import io.catchment.wal.FrameEntry;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.List;

/** Reads of this node's store by other nodes. Owned by the link's thread; the reads run on the store's. */
final class ReadRequests {
    /** Of payload in one answer, if it has more than one frame. */
    static final int READ_BYTES_MAX = 8 << 20;

    private final ExtentReads reads;
    private final Answers answers;
    private final ByteBufAllocator allocator;

    ReadRequests(ExtentReads reads, Answers answers, ByteBufAllocator allocator) {
        this.reads = reads;
        this.answers = answers;
        this.allocator = allocator;
    }

    void handle(Incoming message, ByteBuf bytes) throws ProtocolException {
        long number = message.number();
        long extentId = message.natural();
        switch (message.type()) {
            case LENGTH -> answers.number(number, reads.length(extentId).orElse(-1));
            case STREAMS -> answers.when(number, bytes, reads.streams(extentId), ids -> streams(number, ids));
            case INDEX -> {
                long streamId = message.int64();
                answers.when(number, bytes, reads.index(extentId, streamId), found -> entries(number, found));
            }
            case FLOOR -> {
                long streamId = message.int64();
                long offset = message.natural();
                answers.when(
                        number,
                        bytes,
                        reads.floor(extentId, streamId, offset),
                        found -> entries(number, found.map(List::of).orElse(List.of())));
            }
            case READ -> {
                long streamId = message.int64();
                long fromOffset = message.natural();
                int bytesMax = Math.max(0, Math.min(READ_BYTES_MAX, message.int32()));
                answers.when(
                        number,
                        bytes,
                        reads.read(extentId, streamId, fromOffset, bytesMax),
                        read -> answers.send(
                                new Outgoing(allocator, MessageType.FRAMES, number)
                                        .int32(Incoming.crc(read.payload()))
                                        .int64(read.baseOffset())
                                        .int64(read.endOffset()),
                                List.of(read.payload())));
            }
            case PAYLOAD -> {
                FrameEntry entry = entry(message);
                answers.when(number, bytes, reads.payload(extentId, entry), payload -> answers.bytes(number, payload));
            }
            default -> throw new ProtocolException(message.type() + " reads nothing");
        }
    }

    private static FrameEntry entry(Incoming message) throws ProtocolException {
        message.checkedPayload();
        List<FrameEntry> one = EntryCodec.decode(message.payloadBytes(), message.int64());
        if (one.size() != 1) {
            throw new ProtocolException("a payload of " + one.size() + " frames was asked for");
        }
        return one.get(0);
    }

    private void streams(long number, long[] ids) {
        ByteBuf bytes = Unpooled.directBuffer(Math.max(1, ids.length * Long.BYTES));
        for (long id : ids) {
            bytes.writeLong(id);
        }
        answers.bytes(number, bytes);
    }

    private void entries(long number, List<FrameEntry> found) {
        ByteBuf rows = EntryCodec.encode(found);
        answers.send(new Outgoing(allocator, MessageType.ENTRIES, number).int32(Incoming.crc(rows)), List.of(rows));
    }
}
