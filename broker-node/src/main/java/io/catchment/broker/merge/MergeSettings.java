package io.catchment.broker.merge;

/**
 * When ranges are merged, and how fast.
 *
 * @param fanIn ranges of about one size that make one: what a record is written again for, each time its range grows so many times over
 * @param settledBytes ranges of so many are large enough for ever, if they are at least half of their objects
 * @param segmentBytes of one merged range, about
 * @param outputBytesMax of a merged object, which is built in memory; a quarter of it are inputs that wait there, and four times as many are merged at a time
 * @param crowdedRanges a stream with more than so many is in need of a manifest, and ranges that are in the way of that are written again
 * @param recentRanges of a stream that are left alone: readers at its end are at them
 * @param bytesPerSecond of merged objects, on average; 0: nothing is merged
 * @param lookMs between two looks for something to merge
 * @param objectTtlMs time limit of the merged object's id
 * @param backoffMs first wait after a failure, doubled with each further one (jittered)
 * @param backoffMaxMs upper bound of that
 */
public record MergeSettings(
        int fanIn,
        long settledBytes,
        long segmentBytes,
        long outputBytesMax,
        int crowdedRanges,
        int recentRanges,
        long bytesPerSecond,
        long lookMs,
        long objectTtlMs,
        long backoffMs,
        long backoffMaxMs) {

    public static final MergeSettings DEFAULT = new MergeSettings(
            256, 2L << 20, 64L << 20, 64L << 20, 512, 16, 32L << 20, 30_000, 3_600_000, 1_000, 60_000);

    public MergeSettings {
        if (fanIn < 2
                || settledBytes < 1
                || segmentBytes < settledBytes
                || crowdedRanges < 2
                || outputBytesMax < segmentBytes
                || recentRanges < 0
                || bytesPerSecond < 0
                || lookMs < 1
                || objectTtlMs < 1
                || backoffMs < 1
                || backoffMaxMs < backoffMs) {
            throw new IllegalArgumentException("merge settings out of range");
        }
    }

    public MergeSettings withFanIn(int ranges) {
        return new MergeSettings(
                ranges,
                settledBytes,
                segmentBytes,
                outputBytesMax,
                crowdedRanges,
                recentRanges,
                bytesPerSecond,
                lookMs,
                objectTtlMs,
                backoffMs,
                backoffMaxMs);
    }

    public MergeSettings withLookMs(long ms) {
        return new MergeSettings(
                fanIn,
                settledBytes,
                segmentBytes,
                outputBytesMax,
                crowdedRanges,
                recentRanges,
                bytesPerSecond,
                ms,
                objectTtlMs,
                backoffMs,
                backoffMaxMs);
    }

    public MergeSettings withObjectTtlMs(long ms) {
        return new MergeSettings(
                fanIn,
                settledBytes,
                segmentBytes,
                outputBytesMax,
                crowdedRanges,
                recentRanges,
                bytesPerSecond,
                lookMs,
                ms,
                backoffMs,
                backoffMaxMs);
    }

    public MergeSettings withBytesPerSecond(long bytes) {
        return new MergeSettings(
                fanIn,
                settledBytes,
                segmentBytes,
                outputBytesMax,
                crowdedRanges,
                recentRanges,
                bytes,
                lookMs,
                objectTtlMs,
                backoffMs,
                backoffMaxMs);
    }
}
