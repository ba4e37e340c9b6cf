package io.catchment.controlplane.archive;

import io.catchment.controlplane.Command.NewCheckpoint;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Checkpoint;
import io.catchment.controlplane.proto.FlushPublished;
import io.catchment.controlplane.proto.ObjectsPrepared;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Ranges and checkpoints of objects that an archive does not know, put onto the ends of the streams it does know: for each stream, as long
 * as there is one, a range that begins at its end. A range beyond a gap stays out. Used once, by one thread.
 *
 * <p>Where merges, key compaction or a second attempt of a flush give a choice, the oldest object is taken, unless a newer one alone leads further. What is written anew takes
 * an id after all that it is made of were published, and these are still there: so the oldest is what was flushed. A compacted range may lack tombstones, and markers of aborted transactions,
 * whose keys and records were gone by then from what came before it, but are not in the catalog of the archive: next to that they would come back.
 */
final class Reattachment {
    private final Map<Long, List<Candidate>> ranges = new TreeMap<>();
    private final Map<Long, List<State>> checkpoints = new TreeMap<>();
    private final List<LogRecord> records = new ArrayList<>();
    private final Set<Long> used = new TreeSet<>();
    private int attachedRanges;

    private record Candidate(long objectId, NewRange range) {}

    private record State(long objectId, NewCheckpoint checkpoint) {}

    /**
     * @param records that follow the archive's; objects come first, each as prepared
     * @param ends of the streams that have ranges here, with these
     */
    record Result(List<LogRecord> records, int ranges, int objects, Set<Long> unknownStreams, Map<Long, Long> ends) {}

    void found(long objectId, List<NewRange> found, List<NewCheckpoint> states) {
        for (NewRange range : found) {
            ranges.computeIfAbsent(range.streamId(), id -> new ArrayList<>()).add(new Candidate(objectId, range));
        }
        for (NewCheckpoint state : states) {
            checkpoints
                    .computeIfAbsent(state.streamId(), id -> new ArrayList<>())
                    .add(new State(objectId, state));
        }
    }

    /** @param bytes of each object, by id */
    Result onto(ClusterState state, Map<Long, Long> bytes, long nowMs) {
        Set<Long> unknown = new HashSet<>();
        Map<Long, Long> ends = new HashMap<>();
        ranges.forEach((streamId, candidates) -> {
            var stream = state.streams().get(streamId);
            if (stream == null) {
                unknown.add(streamId);
            } else {
                long end = attach(
                        candidates, stream.catalogEndOffset(), stream.catalog().isEmpty(), bytes, nowMs);
                ends.put(streamId, end);
            }
        });
        checkpoints.forEach((streamId, states) -> {
            var stream = state.streams().get(streamId);
            if (stream != null) {
                long end = ends.getOrDefault(streamId, stream.catalogEndOffset());
                var before = stream.checkpoint();
                // One beyond the end does not stay
                long newest = before == null || before.offset() > end ? -1 : before.offset();
                attachNewest(states, newest, end, bytes, nowMs);
            }
        });
        List<LogRecord> all = new ArrayList<>();
        for (long objectId : used) {
            if (!state.objects().containsKey(objectId)) {
                all.add(prepared(objectId, nowMs));
            }
        }
        all.addAll(records);
        return new Result(all, attachedRanges, used.size(), unknown, ends);
    }

    /** Answers where the stream ends now. An empty catalog begins again with the range that holds the stream's beginning. */
    private long attach(List<Candidate> candidates, long from, boolean isEmpty, Map<Long, Long> bytes, long nowMs) {
        Map<Long, List<Candidate>> byBase = new HashMap<>();
        candidates.forEach(
                candidate -> byBase.computeIfAbsent(candidate.range().baseOffset(), base -> new ArrayList<>())
                        .add(candidate));
        Map<Long, Long> furthest = furthest(candidates);
        long end = from;
        boolean first = isEmpty;
        while (true) {
            @Nullable
            Candidate best = oldest(first ? holding(candidates, end) : byBase.getOrDefault(end, List.of()), furthest);
            if (best == null) {
                return end;
            }
            end = best.range().endOffset();
            first = false;
            attachedRanges++;
            used.add(best.objectId());
            records.add(LogRecord.own(Record.newBuilder()
                    .setFlushPublished(
                            published(best.objectId(), bytes, nowMs).addRanges(Protos.newRange(best.range())))));
        }
    }

    private static List<Candidate> holding(List<Candidate> candidates, long offset) {
        return candidates.stream()
                .filter(candidate -> candidate.range().baseOffset() <= offset
                        && candidate.range().endOffset() > offset)
                .toList();
    }

    /** By each offset at which ranges begin: how far these and those that follow lead. */
    private static Map<Long, Long> furthest(List<Candidate> candidates) {
        Map<Long, Long> furthest = new HashMap<>();
        candidates.stream()
                .map(Candidate::range)
                .sorted(Comparator.comparingLong(NewRange::baseOffset).reversed())
                .forEach(range -> furthest.merge(range.baseOffset(), furthest(range, furthest), Math::max));
        return furthest;
    }

    private static long furthest(NewRange range, Map<Long, Long> furthest) {
        return furthest.getOrDefault(range.endOffset(), range.endOffset());
    }

    /** Of those that lead furthest. */
    private static @Nullable Candidate oldest(List<Candidate> candidates, Map<Long, Long> furthest) {
        return candidates.stream()
                .min(Comparator.<Candidate>comparingLong(candidate -> -furthest(candidate.range(), furthest))
                        .thenComparingLong(Candidate::objectId))
                .orElse(null);
    }

    /** The newest checkpoint, if it is of a state that the stream has come to. */
    private void attachNewest(List<State> states, long before, long end, Map<Long, Long> bytes, long nowMs) {
        @Nullable State best = null;
        long newest = before;
        for (State state : states) {
            if (state.checkpoint().offset() > newest && state.checkpoint().offset() <= end) {
                best = state;
                newest = state.checkpoint().offset();
            }
        }
        if (best != null) {
            NewCheckpoint state = best.checkpoint();
            used.add(best.objectId());
            records.add(LogRecord.own(Record.newBuilder()
                    .setFlushPublished(published(best.objectId(), bytes, nowMs)
                            .addCheckpoints(Checkpoint.newBuilder()
                                    .setStreamId(state.streamId())
                                    .setOffset(state.offset())
                                    .setPosition(state.position())
                                    .setLength(state.length())))));
        }
    }

    /** Partial: it is no extent's. */
    private static FlushPublished.Builder published(long objectId, Map<Long, Long> bytes, long nowMs) {
        Long size = bytes.get(objectId);
        if (size == null) {
            throw new IllegalStateException("object " + objectId + " was found without having been listed");
        }
        return FlushPublished.newBuilder()
                .setObjectId(objectId)
                .setObjectBytes(size)
                .setAtMs(nowMs)
                .setPartial(true);
    }

    private static LogRecord prepared(long objectId, long nowMs) {
        return LogRecord.own(Record.newBuilder()
                .setObjectsPrepared(ObjectsPrepared.newBuilder()
                        .setFirstObjectId(objectId)
                        .setCount(1)
                        .setAtMs(nowMs)
                        .setDeadlineMs(nowMs)));
    }
}
