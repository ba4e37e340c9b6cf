package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.proto.NodeRemoved;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Nodes come and go. */
final class NodeRules {
    /** Copies that are taken out of the records in one step, which must fit into one batch; upkeep does the rest. */
    static final int FORGOTTEN_MAX = 5_000;

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
                false,
                command.leased(),
                false);
        if (old != null && isSameProcess(old, registered)) {
            return draft.accept(new Command.NodeEpoch(old.epoch()));
        }
        draft.own(Record.newBuilder().setNode(Protos.node(registered)));
        if (old != null && !old.storeId().equals(command.storeId())) {
            Store former = new Store(old.nodeId(), old.storeId());
            forgetCopies(draft, former::equals);
        }
        Takeover.run(draft);
        return draft.accept(new Command.NodeEpoch(registered.epoch()));
    }

    static Decision<Command.Done> unregister(Command.UnregisterNode command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        fence(draft, command.nodeId());
        return draft.accept(new Command.Done());
    }

    static Decision<Command.Done> fence(Command.FenceNode command, Draft draft) {
        if (draft.state().isCurrent(command.nodeId(), command.nodeEpoch())) {
            fence(draft, command.nodeId());
        }
        return draft.accept(new Command.Done());
    }

    private static void fence(Draft draft, int nodeId) {
        put(draft, present(draft, nodeId).withFenced(true));
        Takeover.run(draft);
    }

    static Decision<Command.Done> drain(Command.DrainNode command, Draft draft) {
        @Nullable NodeState node = draft.state().nodes().get(command.nodeId());
        if (node == null) {
            return Draft.refuse(Reason.NOT_FOUND, "node " + command.nodeId() + " is not registered");
        }
        if (node.draining() != command.draining()) {
            put(draft, node.withDraining(command.draining()));
        }
        return draft.accept(new Command.Done());
    }

    static Decision<Command.Done> remove(Command.RemoveNode command, Draft draft) {
        @Nullable NodeState node = draft.state().nodes().get(command.nodeId());
        if (node == null) {
            return draft.accept(new Command.Done());
        }
        @Nullable String needed = stillNeeded(draft.state(), node);
        if (needed != null) {
            return Draft.refuse(Reason.NOT_YET, "node " + command.nodeId() + " cannot be removed: " + needed);
        }
        Store store = new Store(node.nodeId(), node.storeId());
        forgetCopies(draft, store::equals);
        draft.own(Record.newBuilder().setNodeRemoved(NodeRemoved.newBuilder().setNodeId(node.nodeId())));
        return draft.accept(new Command.Done());
    }

    private static @Nullable String stillNeeded(ClusterState state, NodeState node) {
        if (node.isLive()) {
            return "it is not fenced; drain and stop it first";
        }
        if (state.ownedBy(node.nodeId()) > 0) {
            return "it owns " + state.ownedBy(node.nodeId()) + " streams";
        }
        Store store = new Store(node.nodeId(), node.storeId());
        for (ExtentState extent : state.extents().values()) {
            if (!extent.isSealed()
                    && (extent.writerNodeId() == node.nodeId()
                            || extent.ensemble().contains(store))) {
                return "extent " + extent.extentId() + " is not sealed";
            }
            if (extent.phase() == ExtentState.Phase.SEALED
                    && extent.holders().contains(store)
                    && !isHeldByAnother(state, extent, store::equals)) {
                return "no live store but this one has extent " + extent.extentId() + ", which is not flushed";
            }
        }
        return null;
    }

    private static NodeState present(Draft draft, int nodeId) {
        NodeState node = draft.state().nodes().get(nodeId);
        if (node == null) {
            throw new IllegalStateException("node " + nodeId + " is current but not in the state");
        }
        return node;
    }

    private static void put(Draft draft, NodeState node) {
        draft.own(Record.newBuilder().setNode(Protos.node(node)));
    }

    private static boolean isSameProcess(NodeState old, NodeState now) {
        return !old.fenced()
                && old.incarnation().equals(now.incarnation())
                && old.storeId().equals(now.storeId())
                && old.endpoints().equals(now.endpoints())
                && old.zone().equals(now.zone())
                && old.roles().equals(now.roles())
                && old.leased() == now.leased();
    }

    /** What registrations and removals have left: more copies than one step takes, and those that no other live store held at that time. */
    static void forgetFormerCopies(Draft draft) {
        ClusterState state = draft.state();
        forgetCopies(draft, store -> {
            @Nullable NodeState node = state.nodes().get(store.nodeId());
            return node == null || !node.storeId().equals(store.storeId());
        });
    }

    /**
     * A disk is gone, or only not mounted: copies of flushed extents on it will never be released by anybody else, and of others it
     * is no holder any more if a live store is one. Otherwise it stays in the records: the dead may never come back, and this disk
     * may. Only an operator may call an extent lost.
     */
    private static void forgetCopies(Draft draft, Predicate<Store> gone) {
        ClusterState state = draft.state();
        List<ExtentState> held = new ArrayList<>();
        for (ExtentState extent : state.extents().values()) {
            if (extent.isSealed()
                    && extent.holders().stream().anyMatch(gone)
                    && (extent.phase() == ExtentState.Phase.FLUSHED || isHeldByAnother(state, extent, gone))) {
                held.add(extent);
            }
        }
        held.sort(Comparator.comparingLong(ExtentState::extentId));
        for (ExtentState extent : held.subList(0, Math.min(FORGOTTEN_MAX, held.size()))) {
            ExtentRules.drop(
                    draft, extent, extent.holders().stream().filter(gone).toList());
        }
    }

    private static boolean isHeldByAnother(ClusterState state, ExtentState extent, Predicate<Store> but) {
        return extent.holders().stream().anyMatch(holder -> !but.test(holder) && state.isLive(holder));
    }
}
