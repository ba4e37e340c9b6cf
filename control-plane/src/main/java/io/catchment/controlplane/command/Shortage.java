package io.catchment.controlplane.command;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.state.ClusterState;

/** Whether a sealed extent is held by too few. Pure. */
public final class Shortage {
    private Shortage() {}

    /** Fewer live stores hold it than it was written to, and it is not flushed. With none live there is nothing to copy from. */
    public static boolean lacksHolders(ClusterState state, ExtentState extent) {
        if (extent.phase() != Phase.SEALED || extent.length() == 0) {
            return false;
        }
        long live = extent.holders().stream().filter(state::isLive).count();
        return live > 0 && live < extent.ensemble().size();
    }
}
