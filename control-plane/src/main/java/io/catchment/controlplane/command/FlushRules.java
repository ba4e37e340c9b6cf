package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.NewCheckpoint;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.proto.Checkpoint;
import io.catchment.controlplane.proto.FlushPublished;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.Protos;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A sealed extent's data is in an object now. */
final class FlushRules {
    private FlushRules() {}

    static Decision<Command.Done> publish(Command.PublishFlush command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        @Nullable ExtentState extent = draft.state().extents().get(command.extentId());
        if (extent == null) {
            // It left the state after it was flushed and its last copy was released
            return command.extentId() >= 1 && command.extentId() < draft.state().nextExtentId()
                    ? draft.accept(new Command.Done())
                    : Draft.refuse(Reason.NOT_FOUND, "extent " + command.extentId() + " does not exist");
        }
        if (extent.phase() == Phase.FLUSHED) {
            return draft.accept(new Command.Done());
        }
        if (extent.phase() != Phase.SEALED) {
            return Draft.refuse(
                    Reason.NOT_YET, "extent " + command.extentId() + " is " + extent.phase() + ", not sealed");
        }
        if (extent.writerNodeId() != command.nodeId() && !hasTask(command, draft)) {
            return Draft.refuse(
                    Reason.NOT_YET,
                    "extent " + command.extentId() + " of node " + extent.writerNodeId()
                            + " is flushed by that node, or by " + "the one that has its task; node " + command.nodeId()
                            + " has not");
        }
        Decision.@Nullable Refused<Command.Done> objection = checkObject(command, draft);
        if (objection != null) {
            return objection;
        }
        FlushPublished.Builder flush = FlushPublished.newBuilder()
                .setExtentId(command.extentId())
                .setObjectId(command.objectId())
                .setObjectBytes(command.objectBytes())
                .setAtMs(draft.conditions().nowMs())
                .setPartial(command.partial());
        Map<Long, Long> ends = new HashMap<>();
        objection = addRanges(command, draft, ends, flush);
        if (objection != null) {
            return objection;
        }
        addCheckpoints(command, draft, ends, flush);
        if (command.partial() && flush.getRangesCount() == 0 && flush.getCheckpointsCount() == 0) {
            return draft.accept(new Command.Done());
        }
        draft.own(Record.newBuilder().setFlushPublished(flush));
        if (command.partial()) {
            return draft.accept(new Command.Done());
        }
        TaskRules.end(draft, TaskState.Kind.FLUSH, command.extentId());
        TaskRules.end(draft, TaskState.Kind.REPAIR, command.extentId());
        return draft.accept(new Command.Done());
    }

    private static boolean hasTask(Command.PublishFlush command, Draft draft) {
        TaskState wanted =
                new TaskState(TaskState.Kind.FLUSH, command.extentId(), command.nodeId(), command.nodeEpoch());
        return draft.state()
                .task(TaskState.Kind.FLUSH, command.extentId())
                .filter(wanted::equals)
                .isPresent();
    }

    private static Decision.@Nullable Refused<Command.Done> checkObject(Command.PublishFlush command, Draft draft) {
        if (command.objectId() < 0) {
            return command.ranges().isEmpty() && command.checkpoints().isEmpty()
                    ? null
                    : new Decision.Refused<>(
                            Reason.INVALID,
                            "extent " + command.extentId() + " is published without an object but with ranges");
        }
        if (command.ranges().size() + command.checkpoints().size() > Command.PublishFlush.ENTRIES_MAX) {
            return new Decision.Refused<>(
                    Reason.INVALID,
                    "a flush of more than " + Command.PublishFlush.ENTRIES_MAX + " ranges and checkpoints");
        }
        @Nullable ObjectState object = draft.state().objects().get(command.objectId());
        if (object == null || object.phase() == ObjectState.Phase.DOOMED) {
            return new Decision.Refused<>(
                    Reason.NOT_FOUND,
                    "object " + command.objectId() + (object == null ? " does not exist" : " is doomed")
                            + ": its time limit is over; upload again under a new id");
        }
        if (object.phase() == ObjectState.Phase.PUBLISHED && !object.partial()) {
            return new Decision.Refused<>(
                    Reason.INVALID, "object " + command.objectId() + " is published already, by another flush");
        }
        return null;
    }

    private static boolean isPublished(NewRange range, long objectId, @Nullable StreamState stream) {
        return stream != null
                && stream.range(range.baseOffset())
                        .filter(known -> known.objectId() == objectId
                                && known.baseOffset() == range.baseOffset()
                                && known.endOffset() == range.endOffset()
                                && known.position() == range.position())
                        .isPresent();
    }

    /**
     * Contiguity (O2): each range begins where its stream's catalog, with the ranges before it in this flush, ends.
     *
     * @param ends filled with where the catalogs of these streams end then
     */
    private static Decision.@Nullable Refused<Command.Done> addRanges(
            Command.PublishFlush command, Draft draft, Map<Long, Long> ends, FlushPublished.Builder flush) {
        for (NewRange range : command.ranges()) {
            @Nullable StreamState stream = draft.state().streams().get(range.streamId());
            if (stream == null || isPublished(range, command.objectId(), stream)) {
                continue;
            }
            if (range.endOffset() > range.baseOffset() && range.endOffset() <= stream.logStartOffset()) {
                // Deleted before it was published
                continue;
            }
            long end = ends.getOrDefault(range.streamId(), stream.catalogEndOffset());
            boolean isFirst = stream.catalog().isEmpty() && !ends.containsKey(range.streamId());
            if (range.endOffset() <= range.baseOffset() || range.position() < 0 || range.length() < 1) {
                return new Decision.Refused<>(Reason.INVALID, "an impossible range: " + range);
            }
            if (range.baseOffset() > end && command.partial()) {
                continue;
            }
            if (range.baseOffset() > end) {
                return new Decision.Refused<>(
                        Reason.NOT_YET,
                        "stream " + range.streamId() + " is published up to " + end
                                + "; the extent with the offsets before " + range.baseOffset() + " comes first");
            }
            if (range.baseOffset() < end && !isFirst) {
                return new Decision.Refused<>(
                        Reason.INVALID,
                        "stream " + range.streamId() + " is published up to " + end + ": offsets from "
                                + range.baseOffset() + " on cannot be published again (O2)");
            }
            ends.put(range.streamId(), range.endOffset());
            flush.addRanges(Protos.newRange(range));
        }
        return null;
    }

    private static void addCheckpoints(
            Command.PublishFlush command, Draft draft, Map<Long, Long> ends, FlushPublished.Builder flush) {
        for (NewCheckpoint checkpoint : command.checkpoints()) {
            @Nullable StreamState stream = draft.state().streams().get(checkpoint.streamId());
            if (stream != null && (!command.partial() || isDueInPart(checkpoint, command.objectId(), stream, ends))) {
                flush.addCheckpoints(Checkpoint.newBuilder()
                        .setStreamId(checkpoint.streamId())
                        .setOffset(checkpoint.offset())
                        .setPosition(checkpoint.position())
                        .setLength(checkpoint.length()));
            }
        }
    }

    /**
     * All that it is a state of is published, and none as new is. A part none of whose entries count leaves no record: it would publish an object without
     * a reference.
     */
    private static boolean isDueInPart(
            NewCheckpoint checkpoint, long objectId, StreamState stream, Map<Long, Long> ends) {
        StreamState.@Nullable Checkpoint known = stream.checkpoint();
        boolean isNews = known == null
                || known.offset() < checkpoint.offset()
                || (known.offset() == checkpoint.offset() && known.objectId() != objectId);
        return isNews && checkpoint.offset() <= ends.getOrDefault(stream.streamId(), stream.catalogEndOffset());
    }
}
