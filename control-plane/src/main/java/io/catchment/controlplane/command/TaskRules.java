package io.catchment.controlplane.command;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.TaskState.Kind;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.placement.EnsemblePlacement;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.Task;
import io.catchment.controlplane.proto.TaskEnded;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.ClusterState.TaskKey;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Work on sealed extents that nobody does by itself: flushing those whose writer is gone, and copying those that too few live stores
 * hold. Pure: what is due on a state, from scratch each time.
 */
final class TaskRules {
    /** Tasks given out in one step. */
    private static final int GIVEN_MAX = 1000;

    private TaskRules() {}

    /** The writer's node flushes its own extents, of all its epochs, if it still has them. */
    static boolean needsFlusher(ClusterState state, ExtentState extent) {
        if (extent.phase() != Phase.SEALED) {
            return false;
        }
        NodeState writer = state.nodes().get(extent.writerNodeId());
        boolean writerDoes = writer != null
                && writer.isLive()
                && (extent.length() == 0 || extent.holders().contains(new Store(writer.nodeId(), writer.storeId())));
        return !writerDoes;
    }

    /**
     * Ends tasks that are done or pointless, and gives out those that are due.
     *
     * @param lacking extents that have been short of holders for so long that it is time to repair them
     * @param stuck tasks whose node lives and does not work on them: another one gets them, if there is another
     */
    static void giveOut(Draft draft, Set<Long> lacking, Set<TaskKey> stuck) {
        List<TaskState> present = new ArrayList<>(draft.state().tasks().values());
        present.sort(Comparator.comparing(TaskState::kind).thenComparingLong(TaskState::extentId));
        for (TaskState task : present) {
            if (!isWanted(draft.state(), task)) {
                end(draft, task.kind(), task.extentId());
            }
        }
        Map<Integer, Integer> given = new HashMap<>();
        draft.state().tasks().values().forEach(task -> given.merge(task.nodeId(), 1, Integer::sum));
        List<ExtentState> extents = draft.state().extents().values().stream()
                .filter(extent -> extent.phase() == Phase.SEALED)
                .sorted(Comparator.comparingInt(ExtentState::lane).thenComparingLong(ExtentState::extentId))
                .toList();
        List<LogRecord> records = new ArrayList<>();
        for (ExtentState extent : extents) {
            if (records.size() >= GIVEN_MAX) {
                break;
            }
            if (needsFlusher(draft.state(), extent)) {
                give(draft, extent, Kind.FLUSH, stuck, given, records);
            }
            if (lacking.contains(extent.extentId()) && Shortage.lacksHolders(draft.state(), extent)) {
                give(draft, extent, Kind.REPAIR, stuck, given, records);
            }
        }
        if (!records.isEmpty()) {
            draft.add(records);
        }
    }

    private static boolean isWanted(ClusterState state, TaskState task) {
        ExtentState extent = state.extents().get(task.extentId());
        if (extent == null) {
            return false;
        }
        return switch (task.kind()) {
            case FLUSH -> needsFlusher(state, extent);
            case REPAIR -> Shortage.lacksHolders(state, extent);
        };
    }

    private static void give(
            Draft draft,
            ExtentState extent,
            Kind kind,
            Set<TaskKey> stuck,
            Map<Integer, Integer> given,
            List<LogRecord> records) {
        ClusterState state = draft.state();
        @Nullable TaskState present = state.task(kind, extent.extentId()).orElse(null);
        boolean held = present != null && state.isCurrent(present.nodeId(), present.nodeEpoch());
        boolean isStuck = stuck.contains(new TaskKey(kind, extent.extentId()));
        if (held && !isStuck) {
            return;
        }
        int butNot = held && present != null ? present.nodeId() : -1;
        @Nullable
        NodeState node = kind == Kind.FLUSH ? flusher(state, extent, butNot, given) : repairer(draft, extent, butNot);
        if (node != null) {
            given.merge(node.nodeId(), 1, Integer::sum);
            records.add(LogRecord.own(Record.newBuilder()
                    .setTask(Protos.task(new TaskState(kind, extent.extentId(), node.nodeId(), node.epoch())))));
        }
    }

    /** The live holder with the fewest tasks; of an extent without data any live node. */
    private static @Nullable NodeState flusher(
            ClusterState state, ExtentState extent, int butNot, Map<Integer, Integer> given) {
        return state.nodes().values().stream()
                .filter(NodeState::isLive)
                .filter(node -> node.nodeId() != butNot)
                .filter(node ->
                        extent.length() == 0 || extent.holders().contains(new Store(node.nodeId(), node.storeId())))
                .min(Comparator.<NodeState>comparingInt(node -> given.getOrDefault(node.nodeId(), 0))
                        .thenComparingInt(NodeState::nodeId))
                .orElse(null);
    }

    private static @Nullable NodeState repairer(Draft draft, ExtentState extent, int butNot) {
        @Nullable
        Store store =
                EnsemblePlacement.further(draft.state(), draft.conditions().figures(), extent, butNot);
        return store == null ? null : draft.state().nodes().get(store.nodeId());
    }

    static void end(Draft draft, Kind kind, long extentId) {
        if (draft.state().task(kind, extentId).isPresent()) {
            draft.own(Record.newBuilder()
                    .setTaskEnded(TaskEnded.newBuilder()
                            .setKind(Task.Kind.valueOf(kind.name()))
                            .setExtentId(extentId)));
        }
    }
}
