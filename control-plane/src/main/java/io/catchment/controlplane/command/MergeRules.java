package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.MergedRange;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.proto.RangesMerged;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.Protos;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Many small ranges become few large ones (DESIGN §7 "Merge"). */
final class MergeRules {
    private MergeRules() {}

    static Decision<Command.Done> publish(Command.PublishMerge command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        @Nullable ObjectState object = draft.state().objects().get(command.objectId());
        if (object == null || object.phase() == ObjectState.Phase.DOOMED) {
            return Draft.refuse(
                    Reason.NOT_FOUND,
                    "object " + command.objectId() + (object == null ? " does not exist" : " is doomed")
                            + ": its time limit is over");
        }
        if (command.ranges().size() > Command.PublishMerge.RANGES_MAX) {
            return Draft.refuse(Reason.INVALID, "a merge of more than " + Command.PublishMerge.RANGES_MAX + " ranges");
        }
        RangesMerged.Builder merged = RangesMerged.newBuilder()
                .setObjectId(command.objectId())
                .setObjectBytes(command.objectBytes())
                .setAtMs(draft.conditions().nowMs());
        Set<Long> seen = new HashSet<>();
        for (MergedRange each : command.ranges()) {
            NewRange range = each.range();
            if (range.endOffset() <= range.baseOffset()
                    || range.position() < 0
                    || range.length() < 1
                    || each.inputObjectIds().isEmpty()
                    || (each.cleanedTo() != 0
                            && (each.cleanedTo() <= range.baseOffset() || each.cleanedTo() > range.endOffset()))
                    || !seen.add(range.streamId())) {
                return Draft.refuse(Reason.INVALID, "an impossible range, or a stream twice: " + each);
            }
            @Nullable StreamState stream = draft.state().streams().get(range.streamId());
            if (stream != null && isCurrent(each, stream)) {
                merged.addMerged(RangesMerged.Merged.newBuilder()
                        .setRange(Protos.newRange(range))
                        .setInputs(each.inputObjectIds().size())
                        .setCleanedTo(each.cleanedTo()));
            }
        }
        if (merged.getMergedCount() == 0) {
            // An object that holds nothing of use expires, unless this came a second time
            return draft.accept(new Command.Done());
        }
        if (object.phase() == ObjectState.Phase.PUBLISHED) {
            return Draft.refuse(
                    Reason.INVALID, "object " + command.objectId() + " is published already, with other ranges");
        }
        draft.own(Record.newBuilder().setRangesMerged(merged));
        return draft.accept(new Command.Done());
    }

    /** The ranges from the base offset on are those that were read, and end where the merged one does. */
    private static boolean isCurrent(MergedRange merged, StreamState stream) {
        List<StreamRange> catalog = stream.catalog();
        int first = stream.rangeIndex(merged.range().baseOffset());
        int count = merged.inputObjectIds().size();
        if (first < 0
                || first + count > catalog.size()
                || catalog.get(first).baseOffset() != merged.range().baseOffset()
                || catalog.get(first + count - 1).endOffset() != merged.range().endOffset()) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            if (catalog.get(first + i).objectId() != merged.inputObjectIds().get(i)) {
                return false;
            }
        }
        return true;
    }
}
