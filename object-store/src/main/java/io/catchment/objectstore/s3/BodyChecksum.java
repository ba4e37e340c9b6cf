package io.catchment.objectstore.s3;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.zip.CRC32C;

/** What a server holds a body against before it makes an object of it. Pure. */
final class BodyChecksum {
    private BodyChecksum() {}

    /** Of the readable bytes, as the protocol's headers want it: big-endian, in Base64. */
    static String crc32c(ByteBuf body) {
        CRC32C crc = new CRC32C();
        for (ByteBuffer piece : body.nioBuffers()) {
            crc.update(piece);
        }
        byte[] bytes =
                ByteBuffer.allocate(Integer.BYTES).putInt((int) crc.getValue()).array();
        return Base64.getEncoder().encodeToString(bytes);
    }
}
