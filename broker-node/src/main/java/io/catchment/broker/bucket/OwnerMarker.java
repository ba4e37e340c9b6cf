package io.catchment.broker.bucket;

import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import java.util.zip.CRC32C;
import org.apache.kafka.common.Uuid;

/**
 * Says that a cluster owns the bucket from a generation on. Made once, create-only, never changed and never deleted: the marker with the
 * highest generation counts. The README has its bytes.
 *
 * @param generation from 1 on, without gaps
 * @param historyId of the state whose ids the objects have; zero in markers of versions that did not know any
 * @param validityMs for so long after a look at the markers its nodes may begin to write without another one
 * @param createdMs wall clock, for people
 */
public record OwnerMarker(long generation, String clusterId, Uuid historyId, long validityMs, long createdMs) {
    public static final String PREFIX = "owner/";

    private static final long MAGIC = 0x434154434f574e52L; // "CATCOWNR"
    /** Ends with the cluster id. */
    private static final short WITHOUT_HISTORY = 1;
    /** The history's id follows. */
    private static final short WITH_HISTORY = 2;

    private static final int FIXED_BYTES = 38;
    private static final int HISTORY_BYTES = 16;
    private static final int CRC_BYTES = 4;

    public OwnerMarker {
        if (generation < 1 || clusterId.isEmpty() || validityMs < 1) {
            throw new IllegalArgumentException("an owner's generation begins with 1, and it has a name");
        }
    }

    public String key() {
        return key(generation);
    }

    static String key(long generation) {
        return String.format("%s%016x", PREFIX, generation);
    }

    /** Empty for a key that is no marker's. */
    static OptionalLong generation(String key) {
        try {
            long generation = Long.parseLong(key.substring(PREFIX.length()), 16);
            return key(generation).equals(key) ? OptionalLong.of(generation) : OptionalLong.empty();
        } catch (NumberFormatException | StringIndexOutOfBoundsException notOurs) {
            return OptionalLong.empty();
        }
    }

    ByteBuf body() {
        byte[] id = clusterId.getBytes(StandardCharsets.UTF_8);
        boolean history = !historyId.equals(Uuid.ZERO_UUID);
        ByteBuf out = Unpooled.buffer(FIXED_BYTES + id.length + HISTORY_BYTES + CRC_BYTES);
        out.writeLong(MAGIC)
                .writeShort(history ? WITH_HISTORY : WITHOUT_HISTORY)
                .writeShort(0);
        out.writeLong(generation).writeLong(validityMs).writeLong(createdMs);
        out.writeShort(id.length).writeBytes(id);
        if (history) {
            out.writeLong(historyId.getMostSignificantBits()).writeLong(historyId.getLeastSignificantBits());
        }
        out.writeInt(crc(out.nioBuffer()));
        return out;
    }

    /** @throws ObjectStoreException CORRUPT if it is no marker, or of a version that is not known here */
    static OwnerMarker read(String key, ByteBuf body) {
        int end = body.readableBytes() - CRC_BYTES;
        if (end <= FIXED_BYTES
                || body.getLong(0) != MAGIC
                || body.getInt(end) != crc(body.nioBuffer(0, end))
                || idBytes(body) == 0
                || idBytes(body) + historyBytes(body) != end - FIXED_BYTES) {
            throw new ObjectStoreException(
                    Reason.CORRUPT,
                    "the marker " + key
                            + " cannot be read: whose this bucket is cannot be told, so nothing is written to it",
                    null);
        }
        int historyAt = FIXED_BYTES + idBytes(body);
        return new OwnerMarker(
                body.getLong(12),
                body.toString(FIXED_BYTES, idBytes(body), StandardCharsets.UTF_8),
                historyBytes(body) == 0
                        ? Uuid.ZERO_UUID
                        : new Uuid(body.getLong(historyAt), body.getLong(historyAt + 8)),
                body.getLong(20),
                body.getLong(28));
    }

    private static int idBytes(ByteBuf body) {
        return body.getUnsignedShort(36);
    }

    /** Negative for a version that is not known here. */
    private static int historyBytes(ByteBuf body) {
        return switch (body.getShort(8)) {
            case WITHOUT_HISTORY -> 0;
            case WITH_HISTORY -> HISTORY_BYTES;
            default -> Integer.MIN_VALUE;
        };
    }

    private static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
