package io.catchment.controlplane;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An extent as the state knows it.
 *
 * @param lane 0 urgent, 1 normal, 2 bulk
 * @param epoch the writer's node epoch, or the recovery epoch once RECOVERING
 * @param length final length in bytes once SEALED, else -1
 * @param holders who has all of a sealed extent
 * @param recoverer who is to recover it while RECOVERING; null when no node can
 */
public record ExtentState(
        long extentId,
        int writerNodeId,
        long writerEpoch,
        long epoch,
        int lane,
        List<Store> ensemble,
        int ackQuorum,
        Phase phase,
        long length,
        List<Store> holders,
        @Nullable Recoverer recoverer) {

    public ExtentState {
        ensemble = List.copyOf(ensemble);
        holders = List.copyOf(holders);
    }

    public ExtentState(
            long extentId,
            int writerNodeId,
            long writerEpoch,
            long epoch,
            int lane,
            List<Store> ensemble,
            int ackQuorum,
            Phase phase,
            long length,
            List<Store> holders) {
        this(extentId, writerNodeId, writerEpoch, epoch, lane, ensemble, ackQuorum, phase, length, holders, null);
    }

    /** Another step of its life, with nobody recovering it. */
    public ExtentState as(Phase newPhase, long newEpoch, long newLength, List<Store> newHolders) {
        return new ExtentState(
                extentId,
                writerNodeId,
                writerEpoch,
                newEpoch,
                lane,
                ensemble,
                ackQuorum,
                newPhase,
                newLength,
                newHolders);
    }

    public ExtentState recovering(long newEpoch, @Nullable Recoverer newRecoverer) {
        return new ExtentState(
                extentId,
                writerNodeId,
                writerEpoch,
                newEpoch,
                lane,
                ensemble,
                ackQuorum,
                Phase.RECOVERING,
                -1,
                List.of(),
                newRecoverer);
    }

    /** Its length is final. */
    public boolean isSealed() {
        return phase == Phase.SEALED || phase == Phase.FLUSHED;
    }

    /** A node in one of its epochs: another process of it is another recoverer. */
    public record Recoverer(int nodeId, long nodeEpoch) {}

    /** A store, not a node (DESIGN §5). */
    public record Store(int nodeId, String storeId) {}

    public enum Phase {
        OPEN,
        RECOVERING,
        SEALED,
        FLUSHED
    }
}
