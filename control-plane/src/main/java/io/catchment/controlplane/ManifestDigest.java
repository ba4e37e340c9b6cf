package io.catchment.controlplane;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * A chain over the ranges of a manifest, from the newest to the oldest: the digest of a range and what follows it is the first eight bytes of
 * SHA-256 over the range and the digest of what follows. So the state needs eight bytes to know whether somebody names just the first ranges of
 * a manifest and the objects they lie in, however many there are, and what the digest of the others is.
 */
public final class ManifestDigest {
    /** Of no range at all. */
    public static final long NOTHING = 0;

    private static final int BYTES = 9 * Long.BYTES;

    private ManifestDigest() {}

    /** @param rest the digest of what follows the ranges */
    public static long of(List<OwnedRange> ranges, long rest) {
        MessageDigest sha = sha256();
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        long digest = rest;
        for (int i = ranges.size() - 1; i >= 0; i--) {
            OwnedRange owned = ranges.get(i);
            StreamRange range = owned.range();
            bytes.clear()
                    .putLong(range.baseOffset())
                    .putLong(range.endOffset())
                    .putLong(range.objectId())
                    .putLong(owned.objectBytes())
                    .putLong(range.position())
                    .putLong(range.length())
                    .putLong(range.maxEventTimeMs())
                    .putLong(range.maxAppendTimeMs())
                    .putLong(digest);
            digest = ByteBuffer.wrap(sha.digest(bytes.array())).getLong();
        }
        return digest;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
