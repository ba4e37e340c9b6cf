package io.catchment.wal.remote;

import io.catchment.wal.format.ExtentHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Writes a message's head: length, type, number, checksum, fields. Used by one thread, once. The payload is not part of it:
 * it follows on the wire from where it lies, under a checksum of its own.
 */
final class Outgoing {
    static final int LENGTH_BYTES = 4;
    /** Type, flags, length of the fields, number, checksum. */
    static final int HEADER_BYTES = 16;

    static final int TEXT_BYTES_MAX = 1_000;

    private final ByteBuf head;

    Outgoing(ByteBufAllocator allocator, MessageType type, long number) {
        head = allocator.directBuffer(96);
        head.writeInt(0)
                .writeByte(type.id())
                .writeByte(0)
                .writeShort(0)
                .writeLong(number)
                .writeInt(0);
    }

    Outgoing int8(int value) {
        head.writeByte(value);
        return this;
    }

    Outgoing int32(int value) {
        head.writeInt(value);
        return this;
    }

    Outgoing int64(long value) {
        head.writeLong(value);
        return this;
    }

    Outgoing text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(bytes.length, TEXT_BYTES_MAX);
        head.writeShort(length).writeBytes(bytes, 0, length);
        return this;
    }

    Outgoing header(ExtentHeader header) {
        return int64(header.extentId())
                .int32(header.writerNodeId())
                .int64(header.writerEpoch())
                .int8(header.lane().id())
                .int8(header.ackQuorum());
    }

    /** The finished head, to be sent with so many bytes behind it. */
    ByteBuf end(int payloadBytes) {
        int fields = head.readableBytes() - LENGTH_BYTES - HEADER_BYTES;
        head.setInt(0, HEADER_BYTES + fields + payloadBytes);
        head.setShort(LENGTH_BYTES + 2, fields);
        head.setInt(LENGTH_BYTES + 12, crc(head, LENGTH_BYTES, fields));
        return head;
    }

    static int bytes(List<ByteBuf> payload) {
        int bytes = 0;
        for (ByteBuf part : payload) {
            bytes = Math.addExact(bytes, part.readableBytes());
        }
        return bytes;
    }

    /** Checksum of a header (but for the checksum itself) and the fields behind it. */
    static int crc(ByteBuf message, int at, int fieldBytes) {
        byte[] checked = ByteBufUtil.getBytes(message, at, HEADER_BYTES + fieldBytes);
        CRC32C crc = new CRC32C();
        crc.update(checked, 0, 12);
        crc.update(checked, HEADER_BYTES, fieldBytes);
        return (int) crc.getValue();
    }
}
