package io.catchment.broker.compaction;

import io.catchment.broker.topic.TopicConfig;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What of a stream is to be cleaned, by Kafka's rules with ranges for segments. Pure.
 *
 * <p>Dirty is what was published since the last pass. Of this may be cleaned what is older than {@code min.compaction.lag.ms}, and ends
 * before the newest published checkpoint: so what producers' states are replayed from is never compacted, and the batches that tell their last
 * sequences need not be kept. It is due when it is more than {@code min.cleanable.dirty.ratio} of all and worth an object, or has waited for
 * {@code max.compaction.lag.ms}.
 *
 * @param ranges from the stream's beginning to the last one that holds something to clean
 * @param dirtyRange index of the first that is dirty
 * @param dirtyOffset where the dirty part begins
 * @param endOffset where it ends
 */
record CleanPlan(
        StreamState stream, List<StreamRange> ranges, int dirtyRange, long dirtyOffset, long endOffset, double ratio) {
    /** In which what retention keeps is parted. */
    private static final int AGES = 10;

    CleanPlan {
        ranges = List.copyOf(ranges);
    }

    long streamId() {
        return stream.streamId();
    }

    /** Null when nothing is due. */
    static @Nullable CleanPlan of(StreamState stream, TopicConfig config, CompactionSettings settings, long nowMs) {
        StreamState.Checkpoint checkpoint = stream.checkpoint();
        if (!config.compacted() || checkpoint == null) {
            return null;
        }
        List<StreamRange> catalog = stream.catalog();
        long dirtyOffset = Math.max(stream.cleanedTo(), stream.logStartOffset());
        int dirty = 0;
        long cleanBytes = 0;
        while (dirty < catalog.size() && catalog.get(dirty).endOffset() <= dirtyOffset) {
            cleanBytes += catalog.get(dirty).length();
            dirty++;
        }
        int end = dirty;
        long dirtyBytes = 0;
        while (end < catalog.size()
                && catalog.get(end).baseOffset() < checkpoint.offset()
                && nowMs - timeMs(catalog.get(end), config) >= config.minCompactionLagMs()) {
            dirtyBytes += catalog.get(end).length();
            end++;
        }
        if (end == dirty) {
            return null;
        }
        long endOffset = Math.min(checkpoint.offset(), catalog.get(end - 1).endOffset());
        double ratio = (double) dirtyBytes / (cleanBytes + dirtyBytes);
        boolean worth = dirtyBytes >= settings.dirtyBytesMin() || end - dirty >= settings.dirtyRangesMin();
        boolean due = (ratio > config.minCleanableRatio() && worth) || hasWaited(catalog.get(dirty), config, nowMs);
        return due && endOffset > dirtyOffset
                ? new CleanPlan(stream, catalog.subList(0, end), dirty, dirtyOffset, endOffset, ratio)
                : null;
    }

    private static boolean hasWaited(StreamRange firstDirty, TopicConfig config, long nowMs) {
        return config.maxCompactionLagMs() != Long.MAX_VALUE
                && nowMs - timeMs(firstDirty, config) > Math.max(1, config.maxCompactionLagMs());
    }

    /**
     * Whether two ranges may become one. A range goes by its age as a whole, when its newest record is too old: one that grew by something newer with each
     * pass would never go. So of a topic that deletes by age, time has steps of a tenth of that, and only what is of the same step is joined.
     */
    static boolean mayBeJoined(StreamRange one, StreamRange other, TopicConfig config) {
        if (!config.deletes() || config.retentionMs() < 0) {
            return true;
        }
        long stepMs = Math.max(1, config.retentionMs() / AGES);
        return Math.floorDiv(timeMs(one, config), stepMs) == Math.floorDiv(timeMs(other, config), stepMs);
    }

    /** As for retention: from arrival on, unless the topic asks for the records' own times. */
    private static long timeMs(StreamRange range, TopicConfig config) {
        boolean byEvent = config.retentionByEventTime() && range.maxEventTimeMs() >= 0;
        return byEvent ? range.maxEventTimeMs() : range.maxAppendTimeMs();
    }
}
