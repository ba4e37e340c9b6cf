package io.catchment.wal.format;

import io.catchment.wal.Lane;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The first block of an extent. It is a block of its own (4096 bytes) so that no later write touches its sector.
 *
 * @param writerEpoch node epoch of the writer
 */
public record ExtentHeader(long extentId, int writerNodeId, long writerEpoch, Lane lane, int ackQuorum) {
    /** Also the position of the first frame. */
    public static final int BYTES = 4096;

    private static final long MAGIC = 0x4341_5443_4845_5854L; // CATCHEXT
    private static final short VERSION = 1;
    private static final int CHECKED_BYTES = 36;

    /** A whole block, ready to be written at position 0. */
    public ByteBuffer encode() {
        ByteBuffer block = ByteBuffer.allocateDirect(BYTES);
        block.putLong(MAGIC).putShort(VERSION).put((byte) lane.id()).put((byte) ackQuorum);
        block.putInt(writerNodeId).putLong(extentId).putLong(writerEpoch).putInt(BYTES);
        block.putInt(crc(block));
        return block.clear();
    }

    /** Empty if the block is not an extent header of this version, or damaged. */
    public static Optional<ExtentHeader> decode(ByteBuffer block) {
        if (block.limit() < BYTES
                || block.getLong(0) != MAGIC
                || block.getShort(8) != VERSION
                || block.getInt(CHECKED_BYTES) != crc(block)) {
            return Optional.empty();
        }
        return lane(block.get(10))
                .map(lane ->
                        new ExtentHeader(block.getLong(16), block.getInt(12), block.getLong(24), lane, block.get(11)));
    }

    private static Optional<Lane> lane(int id) {
        return Stream.of(Lane.values()).filter(lane -> lane.id() == id).findFirst();
    }

    private static int crc(ByteBuffer block) {
        CRC32C crc = new CRC32C();
        crc.update(block.duplicate().position(0).limit(CHECKED_BYTES));
        return (int) crc.getValue();
    }
}
