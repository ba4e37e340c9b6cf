package io.catchment.controlplane;

import java.util.List;

/**
 * Where an old part of a stream's catalog lies: in a manifest, an object that lists the ranges with their objects. What retention, sizes
 * and searches by time mostly need is here.
 *
 * @param objectId of the manifest
 * @param baseOffset of the first range that still counts: what the object lists before it has been released
 * @param ranges from there on
 * @param bytes of these ranges
 * @param maxEventTimeMs of them
 * @param maxAppendTimeMs of them
 * @param firstBytes length of the first of them
 * @param firstMaxEventTimeMs of the first of them
 * @param firstMaxAppendTimeMs of the first of them
 * @param digest {@link ManifestDigest} of them: whoever says which objects are in the manifest must agree with it
 */
public record ManifestRef(
        long objectId,
        long baseOffset,
        long endOffset,
        int ranges,
        long bytes,
        long maxEventTimeMs,
        long maxAppendTimeMs,
        int firstBytes,
        long firstMaxEventTimeMs,
        long firstMaxAppendTimeMs,
        long digest) {

    /** @param ranges all of the manifest, at least one */
    public static ManifestRef of(long objectId, List<OwnedRange> ranges) {
        StreamRange first = ranges.get(0).range();
        long bytes = 0;
        long maxEventTimeMs = Long.MIN_VALUE;
        long maxAppendTimeMs = Long.MIN_VALUE;
        for (OwnedRange owned : ranges) {
            bytes += owned.range().length();
            maxEventTimeMs = Math.max(maxEventTimeMs, owned.range().maxEventTimeMs());
            maxAppendTimeMs = Math.max(maxAppendTimeMs, owned.range().maxAppendTimeMs());
        }
        return new ManifestRef(
                objectId,
                first.baseOffset(),
                ranges.get(ranges.size() - 1).range().endOffset(),
                ranges.size(),
                bytes,
                maxEventTimeMs,
                maxAppendTimeMs,
                first.length(),
                first.maxEventTimeMs(),
                first.maxAppendTimeMs(),
                ManifestDigest.of(ranges, ManifestDigest.NOTHING));
    }

    /**
     * Without its first ranges. The newest times stay an upper bound: ranges that are gone may have had them.
     *
     * @param gone how many
     * @param goneBytes their length
     * @param first the first that is left
     * @param digest of all that are left
     */
    public ManifestRef without(int gone, long goneBytes, StreamRange first, long digest) {
        return new ManifestRef(
                objectId,
                first.baseOffset(),
                endOffset,
                ranges - gone,
                bytes - goneBytes,
                maxEventTimeMs,
                maxAppendTimeMs,
                first.length(),
                first.maxEventTimeMs(),
                first.maxAppendTimeMs(),
                digest);
    }

    public boolean holds(long offset) {
        return offset >= baseOffset && offset < endOffset;
    }
}
