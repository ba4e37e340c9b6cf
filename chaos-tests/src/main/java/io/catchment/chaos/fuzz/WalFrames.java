package io.catchment.chaos.fuzz;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;

/**
 * Messages of the WAL's protocol (wal's README, "On the wire"), with checksums that are right, so that they get as far as their fields. Extents
 * are ones that do not exist: a message that is right in everything is obeyed, since nobody asks who sent it. Pure.
 */
final class WalFrames {
    static final int NODE = 999;
    private static final int HEADER_BYTES = 16;
    private static final int[] TYPES = {
        1, 2, 10, 11, 12, 13, 14, 15, 20, 21, 22, 30, 31, 32, 33, 34, 35, 40, 41, 42, 43, 44, 45, 46, 0, 63, 127, -1
    };
    private static final long NO_EXTENT = 1L << 50;

    private final String clusterId;
    private final int node;
    private final String storeId;

    WalFrames(String clusterId, int node, String storeId) {
        this.clusterId = clusterId;
        this.node = node;
        this.storeId = storeId;
    }

    /** HELLO, of a node that does not exist, for the store that is there. */
    byte[] greeting() {
        byte[] cluster = clusterId.getBytes(StandardCharsets.UTF_8);
        byte[] store = storeId.getBytes(StandardCharsets.UTF_8);
        ByteBuffer fields = ByteBuffer.allocate(8 + 1 + 1 + 4 + 4 + 2 + cluster.length + 2 + store.length)
                .put("CATCHWAL".getBytes(StandardCharsets.US_ASCII))
                .put((byte) 1)
                .put((byte) 4)
                .putInt(NODE)
                .putInt(node)
                .putShort((short) cluster.length)
                .put(cluster)
                .putShort((short) store.length)
                .put(store);
        return message((byte) 1, 1, fields.array(), new byte[0]);
    }

    byte[] next(SplittableRandom random) {
        byte[] fields = new byte[random.nextInt(6) == 0 ? random.nextInt(2_000) : random.nextInt(64)];
        random.nextBytes(fields);
        if (fields.length >= Long.BYTES) {
            long extent =
                    random.nextInt(8) == 0 ? random.nextLong() | Long.MIN_VALUE : NO_EXTENT + random.nextInt(1_000);
            ByteBuffer.wrap(fields).putLong(extent);
        }
        if (random.nextBoolean()) {
            // Lengths, positions and counts: mostly small, some at the edges
            ByteBuffer numbers = ByteBuffer.wrap(fields);
            for (int at = Long.BYTES; at + Long.BYTES <= fields.length; at += Long.BYTES) {
                numbers.putLong(
                        at, random.nextInt(4) == 0 ? Long.MAX_VALUE - random.nextInt(100) : random.nextInt(1_000));
            }
        }
        byte[] payload = new byte[random.nextInt(3) == 0 ? random.nextInt(3_000) : 0];
        random.nextBytes(payload);
        byte[] made = message((byte) TYPES[random.nextInt(TYPES.length)], random.nextLong(), fields, payload);
        return random.nextInt(3) == 0 ? made : Mutation.any(made, random);
    }

    private static byte[] message(byte type, long number, byte[] fields, byte[] payload) {
        int length = HEADER_BYTES + fields.length + payload.length;
        ByteBuffer made = ByteBuffer.allocate(Integer.BYTES + length).putInt(length);
        made.put(type).put((byte) 0).putShort((short) fields.length).putLong(number);
        CRC32C crc = new CRC32C();
        crc.update(made.array(), Integer.BYTES, 12);
        crc.update(fields);
        return made.putInt((int) crc.getValue()).put(fields).put(payload).array();
    }
}
