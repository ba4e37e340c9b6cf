package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Trim;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.StreamsTrimmed;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Streams lose their beginning (DESIGN §7 "Retention"). */
final class TrimRules {
    private TrimRules() {}

    static Decision<Command.Done> trim(Command.TrimStreams command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        if (command.trims().size() > StreamRules.CLAIMS_MAX) {
            return Draft.refuse(
                    Reason.INVALID,
                    command.trims().size() + " streams in one request; at most " + StreamRules.CLAIMS_MAX
                            + " can be trimmed");
        }
        StreamsTrimmed.Builder trimmed =
                StreamsTrimmed.newBuilder().setAtMs(draft.conditions().nowMs());
        Set<Long> seen = new HashSet<>();
        for (Trim trim : command.trims()) {
            if (!seen.add(trim.streamId())) {
                return Draft.refuse(Reason.INVALID, "stream " + trim.streamId() + " is trimmed twice");
            }
            @Nullable StreamState stream = draft.state().streams().get(trim.streamId());
            if (stream != null
                    && stream.ownerNodeId() == command.nodeId()
                    && stream.ownerNodeEpoch() == command.nodeEpoch()
                    && stream.logStartOffset() < trim.logStartOffset()) {
                trimmed.addStreamIds(trim.streamId()).addStartOffsets(trim.logStartOffset());
            }
        }
        if (trimmed.getStreamIdsCount() > 0) {
            draft.own(Record.newBuilder().setStreamsTrimmed(trimmed));
        }
        return draft.accept(new Command.Done());
    }
}
