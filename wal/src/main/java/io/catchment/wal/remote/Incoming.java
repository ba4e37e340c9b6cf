package io.catchment.wal.remote;

import io.catchment.wal.Lane;
import io.catchment.wal.format.ExtentHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/** A message as it came: its fields are read in order, what is left is the payload. Owned by whoever reads it. */
final class Incoming {
    private final MessageType type;
    private final long number;
    private final ByteBuf fields;
    private final ByteBuf payload;

    /** @param message borrowed: valid until whoever has it releases it */
    Incoming(ByteBuf message) throws ProtocolException {
        int at = message.readerIndex();
        if (message.readableBytes() < Outgoing.HEADER_BYTES) {
            throw new ProtocolException("a message of " + message.readableBytes() + " bytes has no header");
        }
        int fieldBytes = message.getUnsignedShort(at + 2);
        if (message.readableBytes() < Outgoing.HEADER_BYTES + fieldBytes
                || message.getInt(at + 12) != Outgoing.crc(message, at, fieldBytes)) {
            throw new ProtocolException("a message's header is damaged, or it is none");
        }
        int typeId = message.getByte(at);
        type = MessageType.of(typeId).orElseThrow(() -> new ProtocolException("unknown message type " + typeId));
        number = message.getLong(at + 4);
        fields = message.slice(at + Outgoing.HEADER_BYTES, fieldBytes);
        payload = message.slice(
                at + Outgoing.HEADER_BYTES + fieldBytes, message.readableBytes() - Outgoing.HEADER_BYTES - fieldBytes);
    }

    MessageType type() {
        return type;
    }

    long number() {
        return number;
    }

    /** Not retained. */
    ByteBuf payload() {
        return payload;
    }

    int int8() throws ProtocolException {
        require(1);
        return fields.readByte();
    }

    int int32() throws ProtocolException {
        require(4);
        return fields.readInt();
    }

    long int64() throws ProtocolException {
        require(8);
        return fields.readLong();
    }

    /** A length, a position or an id: never negative. */
    long natural() throws ProtocolException {
        long value = int64();
        if (value < 0) {
            throw new ProtocolException(type + " with " + value + " where nothing negative can be");
        }
        return value;
    }

    String text() throws ProtocolException {
        require(2);
        int bytes = fields.readUnsignedShort();
        require(bytes);
        return fields.readCharSequence(bytes, StandardCharsets.UTF_8).toString();
    }

    ExtentHeader header() throws ProtocolException {
        long extentId = natural();
        int writer = int32();
        long epoch = int64();
        int lane = int8();
        int quorum = int8();
        if (lane < 0 || lane >= Lane.values().length || quorum < 1) {
            throw new ProtocolException("extent " + extentId + " has lane " + lane + " and ack quorum " + quorum);
        }
        return new ExtentHeader(extentId, writer, epoch, Lane.of(lane), quorum);
    }

    /** The payload, after its checksum (a field) was compared. */
    ByteBuf checkedPayload() throws ProtocolException {
        int expected = int32();
        if (crc(payload) != expected) {
            throw new ProtocolException("the payload of " + type + " is not what was sent");
        }
        return payload;
    }

    static int crc(ByteBuf bytes) {
        CRC32C crc = new CRC32C();
        if (bytes.isReadable()) {
            for (ByteBuffer part : bytes.nioBuffers()) {
                crc.update(part);
            }
        }
        return (int) crc.getValue();
    }

    byte[] payloadBytes() {
        return ByteBufUtil.getBytes(payload);
    }

    private void require(int bytes) throws ProtocolException {
        if (fields.readableBytes() < bytes) {
            throw new ProtocolException(type + " lacks fields");
        }
    }
}
