package io.catchment.broker.flush;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.TaskState;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.Lane;
import io.catchment.wal.Wal;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/** Owned by the flush loop. Which extents this node holds and in which phase, and since when there is data in the unflushed ones. */
final class LocalExtents {
    /** Streams asked for the age of an extent that was there before this process: all of them would take long and say little more. */
    private static final int STREAMS_ASKED_MAX = 64;

    private final Wal wal;
    private final int nodeId;
    private final long nodeEpoch;
    private final Map<Long, Long> dataSinceMs = new HashMap<>();
    private final Set<Long> seenOpen = new HashSet<>();

    LocalExtents(Wal wal, int nodeId, long nodeEpoch) {
        this.wal = wal;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
    }

    /** To be flushed by this node now: urgent first, then oldest first. */
    List<ExtentState> sealed(ClusterImage image) {
        List<ExtentState> sealed = new ArrayList<>(unpublished(image));
        sealed.removeIf(extent -> !hasAllOf(extent));
        sealed.sort(Comparator.comparingInt(ExtentState::lane).thenComparingLong(ExtentState::extentId));
        return sealed;
    }

    /** Sealed ones that this node has to publish, now or soon: its own, and others' for which it has the task. */
    List<ExtentState> unpublished(ClusterImage image) {
        Set<Long> tasks = given(image);
        return image.extents().stream()
                .filter(extent -> extent.phase() == Phase.SEALED
                        && isToFlush(extent, tasks)
                        && (extent.length() == 0
                                || wal.length(extent.extentId()).isPresent()))
                .toList();
    }

    /** What was sealed without its writer's copy another holder flushes: the writer's disk may not give it, or not all of it. */
    private boolean isToFlush(ExtentState extent, Set<Long> tasks) {
        boolean writerDoes = !extent.isSealed() || extent.length() == 0 || holdsOne(extent);
        return (extent.writerNodeId() == nodeId && writerDoes) || tasks.contains(extent.extentId());
    }

    private Set<Long> given(ClusterImage image) {
        Set<Long> given = new HashSet<>();
        for (TaskState task : image.tasks()) {
            if (task.kind() == TaskState.Kind.FLUSH && task.nodeId() == nodeId && task.nodeEpoch() == nodeEpoch) {
                given.add(task.extentId());
            }
        }
        return given;
    }

    /** FLUSH tasks of this node that it can do: of an extent that it does not have another holder should get the task. */
    Set<Long> tasks(ClusterImage image) {
        Set<Long> tasks = given(image);
        tasks.retainAll(unpublished(image).stream().map(ExtentState::extentId).toList());
        return tasks;
    }

    /**
     * A store hears of the final length after the control plane: until then it may show less, and what it does not show must not be
     * taken for not written (O2).
     */
    private boolean hasAllOf(ExtentState extent) {
        return wal.length(extent.extentId()).orElse(0) == extent.length();
    }

    /** Written by this process and not sealed, with data in them. */
    List<ExtentState> open(ClusterImage image, long nodeEpoch) {
        return image.extents().stream()
                .filter(extent -> extent.phase() == Phase.OPEN
                        && extent.writerNodeId() == nodeId
                        && extent.writerEpoch() == nodeEpoch
                        && streams(extent.extentId()).length > 0)
                .toList();
    }

    /** Published extents that this node still has, oldest first. */
    List<ExtentState> flushed(ClusterImage image) {
        List<ExtentState> flushed = new ArrayList<>();
        for (ExtentState extent : image.extents()) {
            if (extent.phase() == Phase.FLUSHED && holdsOne(extent)) {
                flushed.add(extent);
            }
        }
        flushed.sort(Comparator.comparingLong(ExtentState::extentId));
        return flushed;
    }

    long bytes(ExtentState extent) {
        return wal.length(extent.extentId()).orElse(0);
    }

    private boolean holdsOne(ExtentState extent) {
        return extent.holders().stream().anyMatch(holder -> holder.nodeId() == nodeId);
    }

    // ---- ages

    record Unflushed(Map<Lane, Long> oldestMs, Map<Lane, Long> bytes, int extents) {}

    /** Of extents that this node holds and is to flush; those without data do not count. */
    Unflushed unflushed(ClusterImage image, long nowMs) {
        Map<Lane, Long> oldest = new EnumMap<>(Lane.class);
        Map<Lane, Long> bytes = new EnumMap<>(Lane.class);
        Set<Long> present = new HashSet<>();
        Set<Long> tasks = given(image);
        for (ExtentState extent : image.extents()) {
            long id = extent.extentId();
            OptionalLong length = wal.length(id);
            if (extent.phase() == Phase.FLUSHED || !isToFlush(extent, tasks) || length.isEmpty()) {
                continue;
            }
            present.add(id);
            OptionalLong since = dataSinceMs(extent, nowMs);
            if (since.isPresent()) {
                Lane lane = Lane.of(extent.lane());
                oldest.merge(lane, Math.max(0, nowMs - since.getAsLong()), Math::max);
                bytes.merge(lane, length.getAsLong(), Long::sum);
            }
        }
        dataSinceMs.keySet().retainAll(present);
        seenOpen.retainAll(present);
        return new Unflushed(oldest, bytes, dataSinceMs.size());
    }

    private OptionalLong dataSinceMs(ExtentState extent, long nowMs) {
        long id = extent.extentId();
        Long known = dataSinceMs.get(id);
        if (known != null) {
            return OptionalLong.of(known);
        }
        long[] streams = streams(id);
        boolean young = extent.phase() == Phase.OPEN || seenOpen.contains(id);
        if (extent.phase() == Phase.OPEN) {
            seenOpen.add(id);
        }
        if (streams.length == 0) {
            return OptionalLong.empty();
        }
        // One that is watched from its beginning was empty a moment ago.
        long since = young ? nowMs : oldestAppendMs(id, streams, nowMs);
        dataSinceMs.put(id, since);
        return OptionalLong.of(since);
    }

    /** What cannot be read now is no reason to know nothing of the others. */
    private long[] streams(long extentId) {
        try {
            return wal.streams(extentId);
        } catch (UncheckedIOException | OutOfMemoryError unreadable) {
            return new long[0];
        }
    }

    private long oldestAppendMs(long extentId, long[] streams, long nowMs) {
        long oldest = nowMs;
        for (int i = 0; i < Math.min(streams.length, STREAMS_ASKED_MAX); i++) {
            List<FrameEntry> frames = index(extentId, streams[i]);
            if (!frames.isEmpty()) {
                oldest = Math.min(oldest, frames.get(0).appendTimeMs());
            }
        }
        return oldest;
    }

    private List<FrameEntry> index(long extentId, long streamId) {
        try {
            return wal.index(extentId, streamId);
        } catch (UncheckedIOException | OutOfMemoryError unreadable) {
            return List.of();
        }
    }
}
