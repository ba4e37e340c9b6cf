package io.catchment.controlplane.lead;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.command.Observed;
import io.catchment.controlplane.command.Shortage;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.ClusterState.TaskKey;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How long things have been as they are: recoveries and tasks that do not get on, extents short of holders. Soft state of the active controller on its monotonic clock, gone with its leadership. Owned by the control thread.
 */
public final class Watch {
    private final long workLeaseMs;
    private final long repairDelayMs;

    /** Work by what it is and who has it, and when that node last said that it works on it. */
    private final Map<Object, Long> workedOnMs = new HashMap<>();

    private final Map<Long, Long> lackingSinceMs = new HashMap<>();

    /**
     * @param workLeaseMs recoveries and tasks that a node does not mention for so long go to another
     * @param repairDelayMs a holder that is away for less is waited for
     */
    public Watch(long workLeaseMs, long repairDelayMs) {
        this.workLeaseMs = workLeaseMs;
        this.repairDelayMs = repairDelayMs;
    }

    private record Recovery(long extentId, long epoch) {}

    /** Leadership begins, or the process did not run for a while: nothing has been long so. */
    public void begin() {
        workedOnMs.clear();
        lackingSinceMs.clear();
    }

    /** Looks at the state with everything appended. */
    public Observed look(ClusterState state, Map<Integer, NodeLoad> figures, long nowMs) {
        Map<Object, Long> before = new HashMap<>(workedOnMs);
        workedOnMs.clear();
        Set<Long> stuckRecoveries = new HashSet<>();
        Set<Long> lacking = new HashSet<>();
        Map<Long, Long> lackingBefore = new HashMap<>(lackingSinceMs);
        lackingSinceMs.clear();
        for (ExtentState extent : state.extents().values()) {
            long id = extent.extentId();
            ExtentState.@Nullable Recoverer recoverer = extent.recoverer();
            if (recoverer != null
                    && isStuck(new Recovery(id, extent.epoch()), id, recoverer.nodeId(), figures, before, nowMs)) {
                stuckRecoveries.add(id);
            }
            if (Shortage.lacksHolders(state, extent)) {
                long since = lackingBefore.getOrDefault(id, nowMs);
                lackingSinceMs.put(id, since);
                if (nowMs - since >= repairDelayMs) {
                    lacking.add(id);
                }
            }
        }
        Set<TaskKey> stuckTasks = new HashSet<>();
        for (TaskState task : state.tasks().values()) {
            if (isStuck(task, task.extentId(), task.nodeId(), figures, before, nowMs)) {
                stuckTasks.add(TaskKey.of(task));
            }
        }
        Set<Integer> drainWishes = new HashSet<>();
        figures.forEach((node, load) -> {
            NodeState present = state.nodes().get(node);
            if (load.wantsToDrain() && present != null && present.isLive() && !present.draining()) {
                drainWishes.add(node);
            }
        });
        return new Observed(stuckRecoveries, stuckTasks, lacking, drainWishes);
    }

    private boolean isStuck(
            Object work,
            long extentId,
            int nodeId,
            Map<Integer, NodeLoad> figures,
            Map<Object, Long> before,
            long nowMs) {
        boolean mentioned =
                figures.getOrDefault(nodeId, NodeLoad.IDLE).extentsWorkedOn().contains(extentId);
        long since = mentioned ? nowMs : before.getOrDefault(work, nowMs);
        workedOnMs.put(work, since);
        return nowMs - since >= workLeaseMs;
    }
}
