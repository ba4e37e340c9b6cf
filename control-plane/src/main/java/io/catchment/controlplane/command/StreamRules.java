package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Claim;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.StreamsOpened;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Owners open their streams. */
final class StreamRules {
    /** Streams that one command may open. */
    static final int CLAIMS_MAX = 10_000;

    private StreamRules() {}

    static Decision<Map<Long, Integer>> open(Command.OpenStreams command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        if (command.claims().size() > CLAIMS_MAX) {
            return Draft.refuse(
                    Reason.INVALID,
                    command.claims().size() + " streams in one request; at most " + CLAIMS_MAX + " can be opened");
        }
        StreamsOpened.Builder opened =
                StreamsOpened.newBuilder().setNodeId(command.nodeId()).setNodeEpoch(command.nodeEpoch());
        Map<Long, Integer> epochs = new LinkedHashMap<>();
        for (Claim claim : command.claims()) {
            @Nullable StreamState stream = draft.state().streams().get(claim.streamId());
            if (stream == null || stream.ownerNodeId() != command.nodeId()) {
                continue;
            }
            if (claim.endOffset() < stream.catalogEndOffset()) {
                return Draft.refuse(
                        Reason.INVALID,
                        "stream " + claim.streamId() + " cannot end at " + claim.endOffset() + ": offsets up to "
                                + stream.catalogEndOffset() + " are published");
            }
            if (epochs.put(claim.streamId(), stream.epoch() + 1) != null) {
                return Draft.refuse(Reason.INVALID, "stream " + claim.streamId() + " is claimed twice");
            }
            opened.addStreamIds(claim.streamId()).addStartOffsets(claim.endOffset());
        }
        if (!epochs.isEmpty()) {
            draft.own(Record.newBuilder().setStreamsOpened(opened));
        }
        return draft.accept(Map.copyOf(epochs));
    }
}
