package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ExtentState.Recoverer;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.placement.EnsemblePlacement;
import io.catchment.controlplane.proto.ExtentRemoved;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The life of an extent: OPEN, perhaps RECOVERING, SEALED, FLUSHED, gone. */
final class ExtentRules {
    private static final int LANES = 3;

    private ExtentRules() {}

    static Decision<ExtentState> create(Command.CreateExtent command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        if (command.lane() < 0 || command.lane() >= LANES) {
            return Draft.refuse(Reason.INVALID, "there is no lane " + command.lane());
        }
        long extentId = draft.state().nextExtentId();
        List<Store> ensemble = EnsemblePlacement.choose(
                draft.state(),
                draft.conditions().figures(),
                command.nodeId(),
                command.avoid(),
                extentId,
                draft.conditions().replicas(),
                draft.conditions().ackQuorum());
        int quorum = draft.conditions().ackQuorum();
        if (ensemble.size() < quorum) {
            return Draft.refuse(
                    Reason.NOT_YET,
                    "an extent needs " + quorum + " stores, there are " + ensemble.size() + " on unfenced nodes");
        }
        ExtentState extent = new ExtentState(
                extentId,
                command.nodeId(),
                command.nodeEpoch(),
                command.nodeEpoch(),
                command.lane(),
                ensemble,
                quorum,
                Phase.OPEN,
                -1,
                List.of());
        put(draft, extent);
        return draft.accept(extent);
    }

    static Decision<Command.Done> seal(Command.SealExtent command, Draft draft) {
        @Nullable ExtentState extent = draft.state().extents().get(command.extentId());
        if (extent == null) {
            return Draft.refuse(Reason.NOT_FOUND, "extent " + command.extentId() + " does not exist");
        }
        if (extent.phase() == Phase.SEALED || extent.phase() == Phase.FLUSHED) {
            return extent.length() == command.length()
                    ? draft.accept(new Command.Done())
                    : Draft.refuse(
                            Reason.FENCED,
                            "extent " + command.extentId() + " is sealed with length " + extent.length()
                                    + ", which is final (W2); length " + command.length() + " is refused");
        }
        boolean current = command.epoch() == extent.epoch()
                && (extent.phase() == Phase.RECOVERING
                        ? Takeover.isRecovererCurrent(draft.state(), extent)
                        : draft.state().isCurrent(extent.writerNodeId(), extent.writerEpoch()));
        if (!current) {
            return Draft.refuse(
                    Reason.FENCED,
                    "extent " + command.extentId() + " is " + extent.phase() + " in epoch " + extent.epoch()
                            + "; sealing it in epoch " + command.epoch() + " is refused");
        }
        if (command.length() < 0 || command.holders().isEmpty()) {
            return Draft.refuse(
                    Reason.INVALID, "a sealed extent has a length from 0 on and at least one holder: " + command);
        }
        put(draft, extent.as(Phase.SEALED, extent.epoch(), command.length(), command.holders()));
        return draft.accept(new Command.Done());
    }

    static Decision<Command.NodeEpoch> recover(Command.RecoverExtent command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.recovererNodeId(), command.recovererNodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        @Nullable ExtentState extent = draft.state().extents().get(command.extentId());
        if (extent == null) {
            return Draft.refuse(Reason.NOT_FOUND, "extent " + command.extentId() + " does not exist");
        }
        if (extent.phase() == Phase.SEALED || extent.phase() == Phase.FLUSHED) {
            return Draft.refuse(
                    Reason.FENCED,
                    "extent " + command.extentId() + " is " + extent.phase() + " with length " + extent.length()
                            + ": there is nothing to recover");
        }
        if (extent.phase() == Phase.OPEN && draft.state().isCurrent(extent.writerNodeId(), extent.writerEpoch())) {
            return Draft.refuse(
                    Reason.NOT_YET,
                    "extent " + command.extentId() + " is being written by node " + extent.writerNodeId()
                            + " in its present epoch " + extent.writerEpoch());
        }
        Recoverer caller = new Recoverer(command.recovererNodeId(), command.recovererNodeEpoch());
        @Nullable Recoverer present = extent.recoverer();
        if (present != null && !present.equals(caller) && Takeover.isRecovererCurrent(draft.state(), extent)) {
            return Draft.refuse(
                    Reason.FENCED, "extent " + command.extentId() + " is being recovered by node " + present.nodeId());
        }
        long epoch = draft.state().nextEpoch();
        put(draft, extent.recovering(epoch, caller));
        return draft.accept(new Command.NodeEpoch(epoch));
    }

    static Decision<Command.Done> release(Command.ReleaseExtent command, Draft draft) {
        @Nullable ExtentState extent = draft.state().extents().get(command.extentId());
        if (extent == null) {
            return draft.accept(new Command.Done());
        }
        if (extent.phase() != Phase.FLUSHED) {
            return Draft.refuse(
                    Reason.NOT_YET,
                    "extent " + command.extentId() + " is " + extent.phase() + ", not flushed: no copy may go (W5)");
        }
        drop(draft, extent, command.holders());
        return draft.accept(new Command.Done());
    }

    static Decision<Command.Done> addHolder(Command.AddHolder command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        @Nullable ExtentState extent = draft.state().extents().get(command.extentId());
        if (extent == null || !extent.isSealed()) {
            return Draft.refuse(
                    extent == null ? Reason.NOT_FOUND : Reason.NOT_YET,
                    "extent " + command.extentId() + (extent == null ? " does not exist" : " is not sealed"));
        }
        if (command.holder().nodeId() != command.nodeId() || !draft.state().isLive(command.holder())) {
            return Draft.refuse(
                    Reason.INVALID,
                    "node " + command.nodeId() + " can speak for its present store only, not for " + command.holder());
        }
        if (!extent.holders().contains(command.holder())) {
            List<Store> holders = new ArrayList<>(extent.holders());
            holders.add(command.holder());
            put(draft, extent.as(extent.phase(), extent.epoch(), extent.length(), holders));
        }
        TaskRules.end(draft, TaskState.Kind.REPAIR, command.extentId());
        return draft.accept(new Command.Done());
    }

    /** Takes these copies out of a sealed extent; a flushed one without any copy leaves the state. */
    static void drop(Draft draft, ExtentState extent, List<Store> gone) {
        List<Store> kept = extent.holders().stream()
                .filter(holder -> !gone.contains(holder))
                .toList();
        if (kept.isEmpty()) {
            TaskRules.end(draft, TaskState.Kind.FLUSH, extent.extentId());
            TaskRules.end(draft, TaskState.Kind.REPAIR, extent.extentId());
            draft.own(Record.newBuilder()
                    .setExtentRemoved(ExtentRemoved.newBuilder().setExtentId(extent.extentId())));
        } else if (kept.size() < extent.holders().size()) {
            put(draft, extent.as(extent.phase(), extent.epoch(), extent.length(), kept));
        }
    }

    private static void put(Draft draft, ExtentState extent) {
        draft.own(Record.newBuilder().setExtent(Protos.extent(extent)));
    }
}
