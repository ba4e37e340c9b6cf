package io.catchment.objectstore.bundle;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.CRC32C;

/** CRC32C of the body's blocks. */
public final class BlockChecksums {
    private BlockChecksums() {}

    /** Of all readable bytes; leaves the indexes alone. */
    public static int of(ByteBuf bytes) {
        return of(bytes, bytes.readerIndex(), bytes.readableBytes());
    }

    public static int of(ByteBuf bytes, int index, int length) {
        CRC32C crc = new CRC32C();
        for (ByteBuffer nio : bytes.nioBuffers(index, length)) {
            crc.update(nio);
        }
        return (int) crc.getValue();
    }

    /** Of each block of the parts taken as one run of {@code totalBytes}. */
    static int[] of(List<ByteBuf> parts, long totalBytes) {
        int[] crcs = new int[BundleFormat.blocks(totalBytes)];
        CRC32C crc = new CRC32C();
        int block = 0;
        int left = BundleFormat.BLOCK_BYTES;
        for (ByteBuf part : parts) {
            for (ByteBuffer nio : part.nioBuffers()) {
                while (nio.hasRemaining()) {
                    int step = Math.min(left, nio.remaining());
                    crc.update(nio.slice(nio.position(), step));
                    nio.position(nio.position() + step);
                    left -= step;
                    if (left == 0) {
                        crcs[block++] = (int) crc.getValue();
                        crc.reset();
                        left = BundleFormat.BLOCK_BYTES;
                    }
                }
            }
        }
        if (left < BundleFormat.BLOCK_BYTES) {
            crcs[block++] = (int) crc.getValue();
        }
        if (block != crcs.length) {
            throw new IllegalStateException("body of " + totalBytes + " bytes gave " + block + " blocks");
        }
        return crcs;
    }
}
