package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Claim;
import io.catchment.controlplane.Command.ItemError;
import io.catchment.controlplane.Command.ItemResult;
import io.catchment.controlplane.Command.Move;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.EpochStart;
import io.catchment.controlplane.StreamState.Writer;
import io.catchment.controlplane.placement.OwnerPlacement;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.StreamsAssigned;
import io.catchment.controlplane.proto.StreamsOpened;
import io.catchment.controlplane.proto.StreamsResigned;
import io.catchment.controlplane.proto.StreamsTargeted;
import io.catchment.controlplane.state.ClusterState;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Owners open their streams, and hand them over. */
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
        Set<Writer> recovering = draft.state().writersUnderRecovery();
        for (Claim claim : command.claims()) {
            @Nullable StreamState stream = draft.state().streams().get(claim.streamId());
            if (stream == null
                    || stream.ownerNodeId() != command.nodeId()
                    || changedHands(claim, stream)
                    || stream.writers().stream().anyMatch(recovering::contains)) {
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

    /** Since its end was read: what others wrote meanwhile lies behind that. */
    private static boolean changedHands(Claim claim, StreamState stream) {
        return claim.epoch() != Claim.EPOCH_NOT_SAID && claim.epoch() != stream.epoch();
    }

    static Decision<List<ItemResult>> move(Command.MoveStreams command, Draft draft) {
        if (command.moves().size() > CLAIMS_MAX) {
            return Draft.refuse(
                    Reason.INVALID, command.moves().size() + " moves in one request; at most " + CLAIMS_MAX);
        }
        List<ItemResult> results = new ArrayList<>();
        List<Move> right = new ArrayList<>();
        for (Move move : command.moves()) {
            @Nullable ItemError error = check(move, draft.state());
            results.add(new ItemResult(Long.toString(move.streamId()), error));
            if (error == null) {
                right.add(move);
            }
        }
        target(draft, right, command.pinned());
        return draft.accept(List.copyOf(results));
    }

    private static @Nullable ItemError check(Move move, ClusterState state) {
        @Nullable StreamState stream = state.streams().get(move.streamId());
        if (stream == null) {
            return new ItemError(Reason.NOT_FOUND, "stream " + move.streamId() + " does not exist");
        }
        int target = resolved(move, stream);
        NodeState node = state.nodes().get(target);
        if (target != Move.STAY && (node == null || !node.isLive() || !OwnerPlacement.isBroker(node))) {
            return new ItemError(
                    Reason.INVALID,
                    "node " + target + " cannot own stream " + move.streamId() + ": it is no live broker");
        }
        return null;
    }

    private static int resolved(Move move, StreamState stream) {
        return move.targetNodeId() == Move.PREFERRED ? stream.preferredNodeId() : move.targetNodeId();
    }

    /** Targets in the state; a stream that no live process has open changes its owner at once. */
    static void target(Draft draft, List<Move> moves, boolean pinned) {
        ClusterState state = draft.state();
        StreamsTargeted.Builder targeted = StreamsTargeted.newBuilder();
        StreamsAssigned.Builder assigned = StreamsAssigned.newBuilder();
        for (Move move : moves) {
            StreamState stream = state.streams().get(move.streamId());
            if (stream == null) {
                continue;
            }
            int wanted = resolved(move, stream);
            boolean elsewhere = wanted != Move.STAY && wanted != stream.ownerNodeId();
            boolean open = state.isCurrent(stream.ownerNodeId(), stream.ownerNodeEpoch());
            int target = elsewhere && open ? wanted : Move.STAY;
            int preferred = wanted == Move.STAY ? stream.ownerNodeId() : wanted;
            boolean isPinned = move.targetNodeId() < 0 ? stream.pinned() : pinned;
            boolean asBefore = target == stream.targetNodeId()
                    && preferred == stream.preferredNodeId()
                    && isPinned == stream.pinned();
            if (!asBefore) {
                targeted.addStreamIds(move.streamId())
                        .addTargets(target)
                        .addPreferred(preferred)
                        .addPinned(isPinned);
            }
            if (elsewhere && !open) {
                assigned.addStreamIds(move.streamId()).addOwners(wanted);
            }
        }
        if (targeted.getStreamIdsCount() > 0) {
            draft.own(Record.newBuilder().setStreamsTargeted(targeted));
        }
        if (assigned.getStreamIdsCount() > 0) {
            draft.own(Record.newBuilder().setStreamsAssigned(assigned));
        }
    }

    static Decision<Map<Long, Integer>> resign(Command.ResignStreams command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        if (command.streams().size() > CLAIMS_MAX) {
            return Draft.refuse(
                    Reason.INVALID, command.streams().size() + " streams in one request; at most " + CLAIMS_MAX);
        }
        ClusterState state = draft.state();
        Iterator<Integer> heirs = OwnerPlacement.others(
                        state,
                        draft.conditions().figures(),
                        command.nodeId(),
                        command.streams().size())
                .iterator();
        StreamsResigned.Builder resigned = StreamsResigned.newBuilder();
        Map<Long, Integer> epochs = new LinkedHashMap<>();
        for (Command.Resignation resignation : command.streams()) {
            @Nullable StreamState stream = state.streams().get(resignation.streamId());
            if (stream == null
                    || stream.ownerNodeId() != command.nodeId()
                    || stream.ownerNodeEpoch() != command.nodeEpoch()) {
                continue;
            }
            @Nullable String objection = impossible(resignation, stream);
            if (objection != null) {
                return Draft.refuse(Reason.INVALID, "stream " + resignation.streamId() + ": " + objection);
            }
            @Nullable NodeState heir = heir(state, stream, heirs);
            if (heir == null) {
                continue;
            }
            if (epochs.put(resignation.streamId(), stream.epoch() + 1) != null) {
                return Draft.refuse(Reason.INVALID, "stream " + resignation.streamId() + " is resigned twice");
            }
            resigned.addStreams(StreamsResigned.Resignation.newBuilder()
                    .setStreamId(resignation.streamId())
                    .setEndOffset(resignation.endOffset())
                    .setOwner(heir.nodeId())
                    .setOwnerEpoch(heir.epoch())
                    .setExtentId(resignation.checkpointExtentId())
                    .setPosition(resignation.checkpointPosition())
                    .setLength(resignation.checkpointLength()));
        }
        if (!epochs.isEmpty()) {
            draft.own(Record.newBuilder().setStreamsResigned(resigned));
        }
        return draft.accept(Map.copyOf(epochs));
    }

    private static @Nullable String impossible(Command.Resignation resignation, StreamState stream) {
        List<EpochStart> starts = stream.epochStarts();
        long start = starts.isEmpty() ? 0 : starts.get(starts.size() - 1).startOffset();
        if (resignation.endOffset() < Math.max(start, stream.catalogEndOffset())) {
            return "it cannot end at " + resignation.endOffset() + ": its epoch starts at " + start
                    + " and offsets up to " + stream.catalogEndOffset() + " are published";
        }
        if (resignation.checkpointExtentId() < 0
                || resignation.checkpointPosition() < 0
                || resignation.checkpointLength() < 0) {
            return "an impossible place of its state: " + resignation;
        }
        return null;
    }

    /** The target; without one, or from a drained node, whom placement chooses; null when the owner should rather go on. */
    private static @Nullable NodeState heir(ClusterState state, StreamState stream, Iterator<Integer> others) {
        NodeState target = state.nodes().get(stream.targetNodeId());
        if (target != null && target.isLive() && OwnerPlacement.isBroker(target)) {
            return target;
        }
        NodeState owner = state.nodes().get(stream.ownerNodeId());
        boolean anybody = stream.targetNodeId() == Move.STAY || (owner != null && owner.draining());
        return anybody ? state.nodes().get(others.next()) : null;
    }
}
