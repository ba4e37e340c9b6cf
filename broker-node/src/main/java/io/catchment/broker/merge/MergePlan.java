package io.catchment.broker.merge;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Which ranges of which streams one object is to take in next. Pure.
 *
 * <p>A record should be written again rarely, and no stream should have very many ranges. So of each stream the newest ranges are
 * taken (but the very newest) that are of about one size, once there are {@code fanIn} of them: what they become is so much larger that the next
 * of their size leave it alone, and is merged again only with as many of its own. Whatever fills a segment becomes one, and stays. The
 * streams whose ranges lie in the same objects go together: these are read once, and nothing refers to them then.
 *
 * @param streams in the order in which their ranges are to be read
 * @param bytes of all inputs
 */
record MergePlan(List<StreamMerge> streams, long bytes) {
    /** Ranges are of one size as the largest when they have at least one part in so many of its bytes. */
    private static final int SAME_SIZE = 16;

    /** So many times the fan-in are too many ranges, whatever their sizes. */
    private static final int CROWD = 4;

    MergePlan {
        streams = List.copyOf(streams);
    }

    /** @param inputs follow each other */
    record StreamMerge(long streamId, List<StreamRange> inputs) {
        StreamMerge {
            inputs = List.copyOf(inputs);
        }

        long bytes() {
            return MergePlan.bytes(inputs);
        }
    }

    boolean isEmpty() {
        return streams.isEmpty();
    }

    /**
     * @param without streams that are not to be touched now
     * @param dirtyStays topics of which only what key compaction is through with is merged
     */
    static MergePlan of(
            ClusterImage image,
            int nodeId,
            long nodeEpoch,
            MergeSettings settings,
            Set<Long> without,
            Predicate<String> dirtyStays) {
        List<StreamMerge> due = new ArrayList<>();
        for (StreamState stream : image.streams()) {
            boolean open = stream.ownerNodeId() == nodeId && stream.ownerNodeEpoch() == nodeEpoch;
            if (open && !without.contains(stream.streamId())) {
                List<StreamRange> inputs = inputs(stream, dirtyStays.test(stream.topic()), settings);
                if (!inputs.isEmpty()) {
                    due.add(new StreamMerge(stream.streamId(), inputs));
                }
            }
        }
        due.sort(Comparator.<StreamMerge>comparingLong(
                        merge -> merge.inputs().get(0).objectId())
                .thenComparingLong(StreamMerge::streamId));
        List<StreamMerge> chosen = new ArrayList<>();
        long bytes = 0;
        for (StreamMerge merge : due) {
            if (bytes + merge.bytes() <= settings.outputBytesMax()) {
                chosen.add(merge);
                bytes += merge.bytes();
            }
        }
        return new MergePlan(chosen, bytes);
    }

    /** What is compacted is not merged with what is not: how much is dirty is counted in ranges. */
    private static List<StreamRange> inputs(StreamState stream, boolean dirtyStays, MergeSettings settings) {
        List<StreamRange> catalog = stream.catalog();
        int clean = 0;
        while (clean < catalog.size() && catalog.get(clean).endOffset() <= stream.cleanedTo()) {
            clean++;
        }
        List<StreamRange> compacted = inputs(catalog.subList(0, clean), settings, 0);
        return compacted.isEmpty() && !dirtyStays
                ? inputs(catalog.subList(clean, catalog.size()), settings, settings.recentRanges())
                : compacted;
    }

    /** Empty when nothing is to be merged. */
    static List<StreamRange> inputs(List<StreamRange> catalog, MergeSettings settings, int recent) {
        int end = catalog.size() - recent;
        int from = 0;
        for (int i = 0; i <= end; i++) {
            if (i == end || catalog.get(i).length() >= settings.segmentBytes() / 2) {
                if (i - from >= 2) {
                    List<StreamRange> inputs = among(catalog.subList(from, i), settings);
                    if (!inputs.isEmpty()) {
                        return inputs;
                    }
                }
                from = i + 1;
            }
        }
        return List.of();
    }

    /** Of ranges that are no segments yet: a segment if it is full, else the newest ones of about one size, else too many of all sizes. */
    private static List<StreamRange> among(List<StreamRange> ranges, MergeSettings settings) {
        List<StreamRange> full = fullSegment(ranges, settings.segmentBytes());
        if (!full.isEmpty() || ranges.size() < settings.fanIn()) {
            return full;
        }
        List<StreamRange> alike = newest(ranges, (count, sameSize, bytes, largest) -> sameSize >= settings.fanIn());
        if (!alike.isEmpty() || ranges.size() < CROWD * settings.fanIn()) {
            return alike;
        }
        List<StreamRange> crowd = newest(
                ranges, (count, sameSize, bytes, largest) -> count >= settings.fanIn() && bytes >= CROWD * largest);
        return crowd.isEmpty() ? ranges : crowd;
    }

    /** The oldest ones, as many as fill a segment; empty when all of them do not. */
    private static List<StreamRange> fullSegment(List<StreamRange> ranges, long segmentBytes) {
        long bytes = 0;
        for (int i = 0; i < ranges.size(); i++) {
            long length = ranges.get(i).length();
            if (i >= 2 && bytes + length > segmentBytes) {
                return ranges.subList(0, i);
            }
            bytes += length;
        }
        return List.of();
    }

    /** Whether ranges pay as the inputs of a merge. */
    private interface Paying {
        boolean pays(int count, int sameSize, long bytes, long largest);
    }

    /** As many of the newest ranges as pay. */
    private static List<StreamRange> newest(List<StreamRange> ranges, Paying paying) {
        int best = -1;
        int sameSize = 0;
        long largest = 0;
        long bytes = 0;
        for (int from = ranges.size() - 1; from >= 0; from--) {
            long length = ranges.get(from).length();
            bytes += length;
            if (length > largest) {
                largest = length;
                sameSize = sameSize(ranges.subList(from, ranges.size()), largest);
            } else if (length >= largest / SAME_SIZE) {
                sameSize++;
            }
            if (paying.pays(ranges.size() - from, sameSize, bytes, largest)) {
                best = from;
            }
        }
        return best < 0 ? List.of() : ranges.subList(best, ranges.size());
    }

    private static int sameSize(List<StreamRange> ranges, long largest) {
        int count = 0;
        for (StreamRange range : ranges) {
            if (range.length() >= largest / SAME_SIZE) {
                count++;
            }
        }
        return count;
    }

    private static long bytes(List<StreamRange> ranges) {
        long bytes = 0;
        for (StreamRange range : ranges) {
            bytes += range.length();
        }
        return bytes;
    }
}
