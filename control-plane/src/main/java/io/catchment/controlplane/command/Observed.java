package io.catchment.controlplane.command;

import io.catchment.controlplane.state.ClusterState.TaskKey;
import java.util.Set;

/**
 * What the active controller has seen over time and the state does not show.
 *
 * @param stuckRecoveries extents whose recoverer lives and does not get on
 * @param stuckTasks tasks whose node lives and does not work on them
 * @param lacking extents that have been short of holders for so long that they are to be repaired
 * @param drainWishes nodes that ask to be drained
 */
public record Observed(
        Set<Long> stuckRecoveries, Set<TaskKey> stuckTasks, Set<Long> lacking, Set<Integer> drainWishes) {

    public static final Observed NOTHING = new Observed(Set.of(), Set.of(), Set.of(), Set.of());

    public Observed {
        stuckRecoveries = Set.copyOf(stuckRecoveries);
        stuckTasks = Set.copyOf(stuckTasks);
        lacking = Set.copyOf(lacking);
        drainWishes = Set.copyOf(drainWishes);
    }
}
