package io.catchment.wal.remote;

import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.replica.Replica;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;
import java.util.zip.Checksum;

/** What writers and recoverers ask of this node's store. Owned by the link's thread; each request runs on the store's. */
final class WriteRequests {
    private static final int FETCH_BYTES_MAX = 16 << 20;

    private final Replica local;
    private final Supplier<Checksum> checksums;
    private final Answers answers;
    private final ByteBufAllocator allocator;

    WriteRequests(Replica local, Supplier<Checksum> checksums, Answers answers, ByteBufAllocator allocator) {
        this.local = local;
        this.checksums = checksums;
        this.answers = answers;
        this.allocator = allocator;
    }

    /** @param node that the connection's other end said it is */
    void handle(Incoming message, ByteBuf bytes, int node) throws ProtocolException {
        long number = message.number();
        switch (message.type()) {
            case CREATE -> {
                ExtentHeader header = message.header();
                if (header.writerNodeId() != node) {
                    throw new ProtocolException("node " + node + " creates an extent of node " + header.writerNodeId());
                }
                answers.when(number, bytes, local.create(header), done -> answers.done(number));
            }
            case APPEND -> append(message, bytes);
            case ACKNOWLEDGED -> local.acknowledged(message.natural(), message.natural());
            case FINISH -> {
                long extentId = message.natural();
                answers.when(number, bytes, local.finish(extentId, message.natural()), done -> answers.done(number));
            }
            case SETTLE -> {
                long extentId = message.natural();
                answers.when(number, bytes, local.settle(extentId, message.natural()), done -> answers.done(number));
            }
            case DISCARD -> answers.when(number, bytes, local.discard(message.natural()), done -> answers.done(number));
            case FENCE -> {
                ExtentHeader header = message.header();
                answers.when(
                        number,
                        bytes,
                        local.fence(header, message.natural()),
                        length -> answers.number(number, length));
            }
            case FETCH -> {
                long extentId = message.natural();
                long position = message.natural();
                int bytesMax = Math.min(FETCH_BYTES_MAX, message.int32());
                answers.when(
                        number,
                        bytes,
                        local.fetch(extentId, position, bytesMax),
                        piece -> answers.bytes(number, Unpooled.wrappedBuffer(piece)));
            }
            case COPY -> copy(message, bytes);
            default -> throw new ProtocolException(message.type() + " changes nothing");
        }
    }

    private void append(Incoming message, ByteBuf bytes) throws ProtocolException {
        long number = message.number();
        long extentId = message.natural();
        long writerEpoch = message.int64();
        long position = message.natural();
        int frames = message.int32();
        long acknowledged = message.natural();
        ReceivedGroup group =
                new ReceivedGroup(extentId, writerEpoch, position, frames, message.payload(), checksums.get());
        if (acknowledged > 0) {
            local.acknowledged(extentId, acknowledged);
        }
        answers.when(
                number,
                bytes,
                local.append(group),
                appended -> answers.send(
                        new Outgoing(allocator, MessageType.APPENDED, number)
                                .int64(appended.durableLength())
                                .int64(appended.writeNanos())
                                .int64(appended.syncNanos()),
                        List.of()));
    }

    private void copy(Incoming message, ByteBuf bytes) throws ProtocolException {
        long number = message.number();
        ExtentHeader header = message.header();
        long recoveryEpoch = message.natural();
        long position = message.natural();
        ByteBuffer payload = message.checkedPayload().nioBuffer();
        answers.when(
                number,
                bytes,
                local.copy(header, recoveryEpoch, position, payload),
                length -> answers.number(number, length));
    }
}
