package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.placement.OwnerPlacement;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.StreamsAssigned;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Nodes come and go. */
final class NodeRules {
    /** Streams without an owner that get one in one step; the rest follow in further steps. */
    static final int ASSIGNED_MAX = 10_000;

    private NodeRules() {}

    static Decision<Command.NodeEpoch> register(Command.RegisterNode command, Draft draft) {
        if (command.nodeId() < 0
                || command.storeId().isEmpty()
                || command.roles().isEmpty()) {
            return Draft.refuse(Reason.INVALID, "a node needs an id from 0 on, a store id and roles: " + command);
        }
        @Nullable NodeState old = draft.state().nodes().get(command.nodeId());
        NodeState registered = new NodeState(
                command.nodeId(),
                draft.state().nextEpoch(),
                command.storeId(),
                command.endpoints(),
                command.zone(),
                command.roles(),
                command.incarnation(),
                false);
        if (old != null && isSameProcess(old, registered)) {
            return draft.accept(new Command.NodeEpoch(old.epoch()));
        }
        draft.own(Record.newBuilder().setNode(Protos.node(registered)));
        if (old != null && !old.storeId().equals(command.storeId())) {
            releaseFlushedCopies(draft, new Store(old.nodeId(), old.storeId()));
        }
        assignUnowned(draft);
        return draft.accept(new Command.NodeEpoch(registered.epoch()));
    }

    static Decision<Command.Done> unregister(Command.UnregisterNode command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        NodeState old = draft.state().nodes().get(command.nodeId());
        if (old == null) {
            throw new IllegalStateException("node " + command.nodeId() + " is current but not in the state");
        }
        draft.own(Record.newBuilder()
                .setNode(Protos.node(new NodeState(
                        old.nodeId(),
                        old.epoch(),
                        old.storeId(),
                        old.endpoints(),
                        old.zone(),
                        old.roles(),
                        old.incarnation(),
                        true))));
        return draft.accept(new Command.Done());
    }

    /** Gives streams that nobody owns to brokers, if there are any. */
    static void assignUnowned(Draft draft) {
        ClusterState state = draft.state();
        int unowned = Math.min(state.ownedBy(ClusterState.NO_OWNER), ASSIGNED_MAX);
        if (unowned == 0) {
            return;
        }
        List<Integer> owners = OwnerPlacement.choose(state, unowned);
        if (owners.contains(ClusterState.NO_OWNER)) {
            return;
        }
        List<Long> streams = state.streams().values().stream()
                .filter(stream -> stream.ownerNodeId() == ClusterState.NO_OWNER)
                .map(StreamState::streamId)
                .sorted(Comparator.naturalOrder())
                .limit(unowned)
                .toList();
        draft.own(Record.newBuilder()
                .setStreamsAssigned(
                        StreamsAssigned.newBuilder().addAllStreamIds(streams).addAllOwners(owners)));
    }

    private static boolean isSameProcess(NodeState old, NodeState now) {
        return !old.fenced()
                && old.incarnation().equals(now.incarnation())
                && old.storeId().equals(now.storeId())
                && old.endpoints().equals(now.endpoints())
                && old.zone().equals(now.zone())
                && old.roles().equals(now.roles());
    }

    /** The node has another disk: copies of flushed extents on the former one will never be released by anybody else. */
    private static void releaseFlushedCopies(Draft draft, Store gone) {
        List<ExtentState> held = new ArrayList<>();
        for (ExtentState extent : draft.state().extents().values()) {
            if (extent.phase() == ExtentState.Phase.FLUSHED && extent.holders().contains(gone)) {
                held.add(extent);
            }
        }
        for (ExtentState extent : held) {
            ExtentRules.drop(draft, extent, List.of(gone));
        }
    }
}
