package io.catchment.broker.merge;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Which ranges of which streams are to be written again next. Pure.
 *
 * <p>A record should be written again once, and no stream should have very many ranges. A range is settled when it is large enough and most
 * of its object: it stays. Of the others the newest are taken (but the very newest) that are of about one size, once there are {@code fanIn}
 * of them. If what they become is large enough, it gets an object of its own and is settled; else it shares one with those of other
 * streams, and is merged again only with {@code fanIn} of its own size. Ranges that are large, but a small part of their objects, are merged as soon as they
 * fill a segment: what else there was in these objects would stay as long as they do. The streams whose ranges lie in the same objects go together:
 * these are read once, and nothing refers to them then.
 *
 * @param streams in the order of their first inputs' objects
 * @param bytes of all inputs
 */
record MergePlan(List<StreamMerge> streams, long bytes) {
    /** Ranges are of one size as the largest when they have at least one part in so many of its bytes. */
    private static final int SAME_SIZE = 16;

    /** So many times the fan-in are too many ranges, whatever their sizes. */
    private static final int CROWD = 2;

    /**
     * So many times what is built in memory is read at a time, to be written object by object: streams share the objects of a flush, and each time some of
     * them are merged these are read again.
     */
    private static final int READ_OUTPUTS = 4;

    private static final int INPUTS_MAX = 100_000;

    MergePlan {
        streams = List.copyOf(streams);
    }

    /**
     * @param inputs follow each other
     * @param alone what they become is to have an object of its own
     */
    record StreamMerge(long streamId, List<StreamRange> inputs, boolean alone) {
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
     * Each alone, and the others together.
     *
     * @param bytesMax of an object of several
     */
    List<List<StreamMerge>> outputs(long bytesMax) {
        List<List<StreamMerge>> outputs = new ArrayList<>();
        streams.stream().filter(StreamMerge::alone).map(List::of).forEach(outputs::add);
        List<StreamMerge> together = new ArrayList<>();
        long bytes = 0;
        for (StreamMerge merge : streams) {
            if (merge.alone()) {
                continue;
            }
            if (!together.isEmpty() && bytes + merge.bytes() > bytesMax) {
                outputs.add(List.copyOf(together));
                together.clear();
                bytes = 0;
            }
            together.add(merge);
            bytes += merge.bytes();
        }
        if (!together.isEmpty()) {
            outputs.add(List.copyOf(together));
        }
        return outputs;
    }

    /**
     * @param without streams that are not to be touched now
     * @param dirtyStays topics of which only what key compaction is through with is merged
     * @param cleanStays topics of which that is left to key compaction
     */
    static MergePlan of(
            ClusterImage image,
            int nodeId,
            long nodeEpoch,
            MergeSettings settings,
            Set<Long> without,
            Predicate<String> dirtyStays,
            Predicate<String> cleanStays) {
        List<StreamMerge> due = new ArrayList<>();
        for (StreamState stream : image.streams()) {
            boolean open = stream.ownerNodeId() == nodeId && stream.ownerNodeEpoch() == nodeEpoch;
            if (open && !without.contains(stream.streamId())) {
                int clean = clean(stream);
                int left = cleanStays.test(stream.topic()) ? clean : 0;
                due(
                                stream.streamId(),
                                stream.catalog().subList(left, stream.catalog().size()),
                                clean - left,
                                dirtyStays.test(stream.topic()),
                                settings,
                                image::object)
                        .ifPresent(due::add);
            }
        }
        due.sort(Comparator.<StreamMerge>comparingLong(
                        merge -> merge.inputs().get(0).objectId())
                .thenComparingLong(StreamMerge::streamId));
        List<StreamMerge> chosen = new ArrayList<>();
        long bytes = 0;
        int inputs = 0;
        for (StreamMerge merge : due) {
            boolean fits = bytes + merge.bytes() <= READ_OUTPUTS * settings.outputBytesMax()
                    && inputs + merge.inputs().size() <= INPUTS_MAX;
            if (chosen.isEmpty() || fits) {
                chosen.add(merge);
                bytes += merge.bytes();
                inputs += merge.inputs().size();
            }
        }
        return new MergePlan(chosen, bytes);
    }

    /** So many of the first ranges are compacted. */
    private static int clean(StreamState stream) {
        List<StreamRange> catalog = stream.catalog();
        int clean = 0;
        while (clean < catalog.size() && catalog.get(clean).endOffset() <= stream.cleanedTo()) {
            clean++;
        }
        return clean;
    }

    /**
     * Empty when nothing of the stream is to be merged. What is compacted is not merged with what is not: how much is dirty is counted in ranges.
     *
     * @param clean so many of the first ranges are compacted
     * @param dirtyStays the others are left alone
     */
    static Optional<StreamMerge> due(
            long streamId,
            List<StreamRange> catalog,
            int clean,
            boolean dirtyStays,
            MergeSettings settings,
            Function<Long, Optional<ObjectState>> objects) {
        List<StreamRange> blocked = blocked(catalog, clean, dirtyStays, settings, objects);
        if (!blocked.isEmpty()) {
            return Optional.of(new StreamMerge(streamId, blocked, true));
        }
        List<StreamRange> inputs = inputs(catalog.subList(0, clean), 0, settings, objects);
        if (inputs.isEmpty() && !dirtyStays) {
            inputs = inputs(catalog.subList(clean, catalog.size()), settings.recentRanges(), settings, objects);
        }
        return inputs.isEmpty()
                ? Optional.empty()
                : Optional.of(new StreamMerge(streamId, inputs, bytes(inputs) >= settings.settledBytes()));
    }

    /** Of ranges that may be merged with each other, but for so many recent ones. */
    private static List<StreamRange> inputs(
            List<StreamRange> ranges,
            int recent,
            MergeSettings settings,
            Function<Long, Optional<ObjectState>> objects) {
        int end = ranges.size() - recent;
        int from = 0;
        for (int i = 0; i <= end; i++) {
            if (i == end || isSettled(ranges.get(i), settings, objects)) {
                if (i - from >= 2) {
                    List<StreamRange> inputs = among(ranges.subList(from, i), settings);
                    if (!inputs.isEmpty()) {
                        return inputs;
                    }
                }
                from = i + 1;
            }
        }
        return List.of();
    }

    /** Large enough, and its object is hardly more than it. */
    private static boolean isSettled(
            StreamRange range, MergeSettings settings, Function<Long, Optional<ObjectState>> objects) {
        return range.length() >= settings.settledBytes()
                && objects.apply(range.objectId())
                        .filter(object -> object.bytes() / 2 <= range.length())
                        .isPresent();
    }

    /**
     * The catalog is far too long, so its old part cannot have moved to a manifest: the first ranges, older than a settled one, that are not alone in
     * their objects, and so keep all that follow. However small or few, they get an object of their own.
     */
    private static List<StreamRange> blocked(
            List<StreamRange> catalog,
            int clean,
            boolean dirtyStays,
            MergeSettings settings,
            Function<Long, Optional<ObjectState>> objects) {
        if (catalog.size() <= settings.crowdedRanges()) {
            return List.of();
        }
        int end = catalog.size() - settings.recentRanges();
        while (end > 0 && catalog.get(end - 1).length() < settings.settledBytes()) {
            end--;
        }
        int from = 0;
        while (from < end && isAlone(catalog.get(from), objects)) {
            from++;
        }
        if (from < clean) {
            end = Math.min(end, clean);
        } else if (dirtyStays) {
            return List.of();
        }
        long bytes = 0;
        int to = from;
        while (to < end && !isAlone(catalog.get(to), objects)) {
            bytes += catalog.get(to).length();
            if (to > from && bytes > settings.segmentBytes()) {
                break;
            }
            to++;
        }
        return catalog.subList(from, Math.max(from, to));
    }

    private static boolean isAlone(StreamRange range, Function<Long, Optional<ObjectState>> objects) {
        return objects.apply(range.objectId()).filter(ObjectState::isHeldByOne).isPresent();
    }

    /** Of ranges that are not settled: large ones if they fill a segment, else the newest ones of about one size, else too many of all sizes. */
    private static List<StreamRange> among(List<StreamRange> ranges, MergeSettings settings) {
        List<StreamRange> full = fullSegment(ranges, settings);
        if (!full.isEmpty() || ranges.size() < settings.fanIn()) {
            return full;
        }
        List<StreamRange> alike = newest(ranges, (count, sameSize, bytes, largest) -> sameSize >= settings.fanIn());
        if (!alike.isEmpty() || ranges.size() < CROWD * settings.fanIn()) {
            return segment(alike, settings.segmentBytes());
        }
        List<StreamRange> crowd = newest(
                ranges, (count, sameSize, bytes, largest) -> count >= settings.fanIn() && bytes >= CROWD * largest);
        return segment(crowd.isEmpty() ? ranges : crowd, settings.segmentBytes());
    }

    /** The oldest large ones that follow each other, as many as fill a segment; empty when none do. */
    private static List<StreamRange> fullSegment(List<StreamRange> ranges, MergeSettings settings) {
        long bytes = 0;
        int from = 0;
        for (int i = 0; i < ranges.size(); i++) {
            long length = ranges.get(i).length();
            if (length < settings.settledBytes()) {
                from = i + 1;
                bytes = 0;
                continue;
            }
            if (i - from >= 2 && bytes + length > settings.segmentBytes()) {
                return ranges.subList(from, i);
            }
            bytes += length;
        }
        return List.of();
    }

    /** As many of the oldest as one segment takes, at least two. */
    private static List<StreamRange> segment(List<StreamRange> ranges, long segmentBytes) {
        long bytes = 0;
        for (int i = 0; i < ranges.size(); i++) {
            bytes += ranges.get(i).length();
            if (i >= 2 && bytes > segmentBytes) {
                return ranges.subList(0, i);
            }
        }
        return ranges;
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
