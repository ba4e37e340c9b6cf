package io.catchment.broker.merge;

/**
 * When ranges are merged, and how fast.
 *
 * @param fanIn ranges of about one size that make one: what a record is written again for, each time its range grows so many times over
 * @param segmentBytes ranges of half as many are large enough for ever; smaller ones that reach it together are merged however few they are
 * @param outputBytesMax of one merged object, which is built in memory
 * @param recentRanges of a stream that are left alone: readers at its end are at them
 * @param bytesPerSecond of merged objects, on average; 0: nothing is merged
 * @param lookMs between two looks for something to merge
 * @param objectTtlMs time limit of the merged object's id
 * @param backoffMs first wait after a failure, doubled with each further one (jittered)
 * @param backoffMaxMs upper bound of that
 */
public record MergeSettings(
        int fanIn,
        long segmentBytes,
        long outputBytesMax,
        int recentRanges,
        long bytesPerSecond,
        long lookMs,
        long objectTtlMs,
        long backoffMs,
        long backoffMaxMs) {

    public static final MergeSettings DEFAULT =
            new MergeSettings(256, 64L << 20, 64L << 20, 16, 32L << 20, 30_000, 3_600_000, 1_000, 60_000);

    public MergeSettings {
        if (fanIn < 2
                || segmentBytes < 2
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
                segmentBytes,
                outputBytesMax,
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
                segmentBytes,
                outputBytesMax,
                recentRanges,
                bytesPerSecond,
                ms,
                objectTtlMs,
                backoffMs,
                backoffMaxMs);
    }

    public MergeSettings withObjectTtlMs(long ms) {
        return new MergeSettings(
                fanIn, segmentBytes, outputBytesMax, recentRanges, bytesPerSecond, lookMs, ms, backoffMs, backoffMaxMs);
    }

    public MergeSettings withBytesPerSecond(long bytes) {
        return new MergeSettings(
                fanIn, segmentBytes, outputBytesMax, recentRanges, bytes, lookMs, objectTtlMs, backoffMs, backoffMaxMs);
    }
}
