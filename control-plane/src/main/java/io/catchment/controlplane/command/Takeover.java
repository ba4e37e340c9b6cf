package io.catchment.controlplane.command;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ExtentState.Recoverer;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.placement.OwnerPlacement;
import io.catchment.controlplane.placement.RecovererPlacement;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.StreamsAssigned;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What follows from the end of a node epoch (DESIGN §5 "Recovery of a dead writer's extents", §6 "Unplanned"). Each step looks at the
 * whole state and does what is missing, so it serves the command that ends the epoch and the controller's upkeep alike.
 */
final class Takeover {
    /** Streams that change their owner in one step, which takes about 1 MB; the rest follow in further steps, a second apart. */
    static final int ASSIGNED_MAX = 100_000;

    private Takeover() {}

    static void run(Draft draft) {
        recoverExtents(draft, Set.of());
        assignOrphans(draft);
    }

    /**
     * Open extents of writers whose epoch is over get a recoverer, and those whose recoverer's epoch is over another one: each time
     * with a new recovery epoch, so that what the former one still does is refused.
     *
     * @param stuck extents whose recoverer lives and makes no progress: another one tries, if there is another
     */
    static void recoverExtents(Draft draft, Set<Long> stuck) {
        ClusterState state = draft.state();
        List<ExtentState> due = new ArrayList<>();
        for (ExtentState extent : state.extents().values()) {
            boolean orphaned =
                    extent.phase() == Phase.OPEN && !state.isCurrent(extent.writerNodeId(), extent.writerEpoch());
            boolean abandoned = extent.phase() == Phase.RECOVERING
                    && (!isRecovererCurrent(state, extent) || stuck.contains(extent.extentId()));
            if (orphaned || abandoned) {
                due.add(extent);
            }
        }
        due.sort(Comparator.comparingLong(ExtentState::extentId));
        RecovererPlacement placement = new RecovererPlacement(state);
        List<LogRecord> records = new ArrayList<>();
        long epoch = state.nextEpoch();
        for (ExtentState extent : due) {
            Recoverer former = extent.recoverer();
            boolean isStuck = former != null && stuck.contains(extent.extentId());
            int butNot = former != null && isStuck ? former.nodeId() : -1;
            Recoverer recoverer = placement.choose(extent, butNot);
            boolean change = extent.phase() == Phase.OPEN || recoverer != null || (former != null && !isStuck);
            if (change) {
                records.add(LogRecord.own(
                        Record.newBuilder().setExtent(Protos.extent(extent.recovering(epoch++, recoverer)))));
            }
        }
        if (!records.isEmpty()) {
            draft.add(records);
        }
    }

    static boolean isRecovererCurrent(ClusterState state, ExtentState extent) {
        Recoverer recoverer = extent.recoverer();
        return recoverer != null && state.isCurrent(recoverer.nodeId(), recoverer.nodeEpoch());
    }

    /** Streams that nobody owns, or a node that is fenced or no broker any more, get owners, if there are brokers. */
    static void assignOrphans(Draft draft) {
        ClusterState state = draft.state();
        Set<Integer> absent = new HashSet<>();
        boolean brokers = false;
        for (NodeState node : state.nodes().values()) {
            boolean serves = node.isLive() && OwnerPlacement.isBroker(node);
            if (!serves && state.ownedBy(node.nodeId()) > 0) {
                absent.add(node.nodeId());
            }
            brokers |= serves;
        }
        if (state.ownedBy(ClusterState.NO_OWNER) > 0) {
            absent.add(ClusterState.NO_OWNER);
        }
        if (!brokers || absent.isEmpty()) {
            return;
        }
        List<StreamState> orphans = state.streams().values().stream()
                .filter(stream -> absent.contains(stream.ownerNodeId()))
                .sorted(Comparator.comparingLong(StreamState::streamId))
                .limit(ASSIGNED_MAX)
                .toList();
        draft.own(Record.newBuilder()
                .setStreamsAssigned(StreamsAssigned.newBuilder()
                        .addAllStreamIds(
                                orphans.stream().map(StreamState::streamId).toList())
                        .addAllOwners(OwnerPlacement.successors(
                                state, draft.conditions().figures(), orphans))));
    }
}
